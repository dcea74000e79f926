/* driver_file: the sample of doc/DRIVERS.md reads and writes real files. */

#include "lib/clock.h"
#include "tests/unit/orders.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct driver driver_file;

enum { LEVEL, VALVE, COUNT, LABEL, MISSING, INPUTS };

static struct input inputs[INPUTS];
static struct plant plant;
static struct {
	const char *folder; /* as the driver's options */
} options;

static void
set_input(size_t index, const char *address, enum value_kind kind)
{
	inputs[index] = (struct input){.name = address,
		.address = address,
		.access = "read_write",
		.kind = kind,
		.scale = kind == VALUE_FLOAT ? 0.001 : 1,
		.minimum = NAN,
		.maximum = NAN,
		.dead_band = NAN,
		.line = 1,
		.column = 1,
		.id = (int32_t)index + 1};
}

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", plant.folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void
assert_file(const char *name, const char *wanted)
{
	char path[128];
	char text[64] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", plant.folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
	fclose(file);
	assert_string_equal(text, wanted);
}

static int
set_up(void **state)
{
	(void)state;
	set_input(LEVEL, "level", VALUE_FLOAT);
	set_input(VALVE, "valve", VALUE_BOOL);
	set_input(COUNT, "count", VALUE_INT);
	set_input(LABEL, "label", VALUE_STRING);
	set_input(MISSING, "missing", VALUE_INT);
	plant_prepare(&plant);
	options.folder = plant.folder;
	write_file("level", "21500\n");
	write_file("valve", "0\n");
	write_file("count", "7\nand more\n");
	write_file("label", "Größe 7\n");
	return 0;
}

/* --- reading
 * ------------------------------------------------------------------ */

struct seen {
	struct sink sink;
	struct value values[INPUTS];
	bool invalid[INPUTS];
	char text[64];
};

static void
put(struct sink *sink, size_t index, int64_t time_us, uint64_t status,
	const struct value *raw)
{
	struct seen *seen = (struct seen *)sink;

	assert_int_equal(time_us, 1234);
	assert_int_equal(status, 0);
	seen->invalid[index] = raw == NULL;
	if (raw == NULL)
		return;
	seen->values[index] = *raw;
	if (raw->kind == VALUE_STRING)
		snprintf(
			seen->text, sizeof(seen->text), "%s", raw->string.data);
}

static enum rc
open_driver(struct arena *arena, struct input_list *list, void **state,
	struct fault *fault)
{
	struct driver_setup setup = {
		.list = list, .options = &options, .arena = arena};

	return driver_file.open(&setup, state, fault);
}

static void
test_file_reads_first_lines(void **state)
{
	struct arena *arena = arena_new();
	struct input_list list = {"v.csv", INPUTS, inputs};
	struct seen seen = {.sink.put = put};
	struct fault fault = {0};
	int64_t next_us = DRIVER_NEXT_PERIOD;
	void *driver;

	(void)state;
	assert_int_equal(open_driver(arena, &list, &driver, &fault), RC_OK);
	write_file("label", "");
	for (int i = 0; i < 2; i++) {
		assert_int_equal(driver_file.poll(driver, 1234, &seen.sink,
					 &next_us, &fault),
			RC_OK);
		assert_true(next_us == DRIVER_NEXT_PERIOD);
		assert_true(seen.values[LEVEL].number == 21500);
		assert_false(seen.values[VALVE].boolean);
		assert_int_equal(seen.values[COUNT].integer, 7);
		assert_true(seen.invalid[MISSING]);
		assert_false(seen.invalid[LABEL]);
		write_file("label", "Größe 7\n");
	}
	assert_string_equal(seen.text, "Größe 7");
	arena_free(arena);
	plant_start(&plant, inputs, 1, &driver_file, &options, 1000);
	plant_stop(&plant);
}

static void
test_file_stays_in_its_folder(void **state)
{
	struct arena *arena = arena_new();
	struct input_list list = {"v.csv", 1, inputs};
	struct fault fault = {0};
	void *driver;

	(void)state;
	set_input(LEVEL, "../etc/passwd", VALUE_STRING);
	assert_int_equal(
		open_driver(arena, &list, &driver, &fault), RC_BAD_INPUT);
	assert_string_equal(
		fault.text, "v.csv:1:1: \"../etc/passwd\" leaves the folder");
	arena_free(arena);
	set_input(LEVEL, "level", VALUE_FLOAT);
	plant_start(&plant, inputs, 1, &driver_file, &options, 1000);
	plant_stop(&plant);
}

/* --- writing
 * ------------------------------------------------------------------ */

static void
test_file_writes_and_reads_back(void **state)
{
	struct sampler_order order = {.index = LEVEL};

	(void)state;
	plant_start(
		&plant, inputs, INPUTS, &driver_file, &options, CLOCK_HOUR_US);
	order.value = (struct value){.kind = VALUE_FLOAT, .number = 0.25};
	plant_expect(&plant, order, RC_OK, "");
	assert_file("level", "250\n");
	assert_true(plant.result.value.number == 0.25);
	order = (struct sampler_order){
		.index = VALVE, .value = {.kind = VALUE_BOOL, .boolean = true}};
	plant_expect(&plant, order, RC_OK, "");
	assert_file("valve", "1\n");
	order = (struct sampler_order){
		.index = COUNT, .value = int_value(INT64_C(9007199254740993))};
	plant_expect(&plant, order, RC_OK, "");
	assert_file("count", "9007199254740993\n");
	order = (struct sampler_order){.index = LABEL};
	order.value.kind = VALUE_STRING;
	order.value.string.data = "A 1";
	order.value.string.bytes = 3;
	plant_expect(&plant, order, RC_OK, "");
	assert_file("label", "A 1\n");
	order = (struct sampler_order){.index = MISSING, .value = int_value(1)};
	plant_expect(&plant, order, RC_UNAVAILABLE, "No such file");
	plant_stop(&plant);
}

static void
test_file_tells_what_does_not_hold(void **state)
{
	struct sampler_order order = {.index = LABEL};

	(void)state;
	plant_start(
		&plant, inputs, INPUTS, &driver_file, &options, CLOCK_HOUR_US);
	order.value.kind = VALUE_STRING;
	order.value.string.data = "two\nlines";
	order.value.string.bytes = 9;
	plant_expect(&plant, order, RC_CONFLICT, "another value");
	assert_string_equal(plant.text, "two");
	plant_stop(&plant);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_file_reads_first_lines, set_up),
		cmocka_unit_test_setup(test_file_stays_in_its_folder, set_up),
		cmocka_unit_test_setup(test_file_writes_and_reads_back, set_up),
		cmocka_unit_test_setup(
			test_file_tells_what_does_not_hold, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
