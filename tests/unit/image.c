/* image: which value wins, and that a checkpoint brings all of it back. */

#include "model/image.h"

#include <math.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/unit/unit.h"

static const uint8_t uuid[16] = {1, 2, 3};

static struct image *
make_image(void)
{
	struct image *image = image_new();
	struct variable variables[] = {
		{.id = 7, .datasource_id = 1, .name = "b", .kind = VALUE_FLOAT},
		{.id = 5000,
			.datasource_id = 1,
			.name = "a",
			.kind = VALUE_STRING},
		{.id = 9, .datasource_id = 1, .name = "c", .kind = VALUE_INT},
		{.id = 10, .datasource_id = 1, .name = "d", .kind = VALUE_BOOL},
		{.id = 11, .datasource_id = 2, .name = "e", .kind = VALUE_BOOL},
	};

	for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
		variables[i].unit = variables[i].description = "";
	image_define_datasource(image, 1, uuid, "plant");
	image_define(image, variables, ARRAY_LENGTH(variables));
	return image;
}

static void
put_number(struct image *image, double number, int64_t time_us)
{
	struct sample sample = {.variable_id = 7,
		.time_us = time_us,
		.value = {.kind = VALUE_FLOAT, .number = number}};

	image_begin(image);
	image_put(image, &sample, time_us + 5);
	image_end(image, 3, time_us);
}

static void
put_text(struct image *image, const char *text, int64_t time_us)
{
	struct sample sample = {.variable_id = 5000,
		.time_us = time_us,
		.status = STATUS_INVALID,
		.value = {.kind = VALUE_STRING,
			.string = {text, (uint32_t)strlen(text)}}};

	image_begin(image);
	image_put(image, &sample, time_us);
	image_end(image, 0, 0);
}

static void
test_image_finds_by_name_and_id(void **state)
{
	struct image *image = make_image();
	const struct image_datasource *datasource =
		image_datasource_by_uuid(image, uuid);

	(void)state;
	assert_int_equal(datasource->count, 4);
	assert_string_equal(datasource->variables[0]->meta.name, "a");
	assert_int_equal(image_find(datasource, "c")->meta.id, 9);
	assert_null(image_find(datasource, "x"));
	assert_null(image_find(datasource, ""));
	assert_ptr_equal(image_variable(image, 7), image_find(datasource, "b"));
	assert_null(image_variable(image, 8));
	assert_null(image_variable(image, 11)); /* of an unknown datasource */
	assert_null(image_variable(image, -1));
	assert_null(image_variable(image, INT32_MAX));
	image_free(image);
}

static void
test_image_newest_source_time_wins(void **state)
{
	struct image *image = make_image();
	const struct image_variable *variable = image_variable(image, 7);
	uint64_t version;

	(void)state;
	put_number(image, 1, 100);
	put_number(image, 2, 50);
	assert_true(variable->value.number == 1);
	version = variable->version;
	put_number(image, 3, 100);
	assert_true(variable->value.number == 3);
	assert_true(variable->version > version);
	assert_true(variable->received_us == 105);
	assert_true(image_position(image, 3) == 100);
	image_free(image);
}

static void
test_image_ignores_another_kind(void **state)
{
	struct image *image = make_image();
	struct sample sample = {
		.variable_id = 9, .value = {.kind = VALUE_FLOAT, .number = 1}};

	(void)state;
	image_begin(image);
	image_put(image, &sample, 1);
	sample.variable_id = 12345;
	image_put(image, &sample, 1);
	image_end(image, 0, 0);
	assert_int_equal(image_variable(image, 9)->value.kind, VALUE_NONE);
	image_free(image);
}

static void
test_image_renames_and_keeps_values(void **state)
{
	struct image *image = make_image();
	struct variable renamed = {.id = 7,
		.datasource_id = 1,
		.name = "z",
		.unit = "kW",
		.description = "",
		.kind = VALUE_FLOAT};
	const struct image_datasource *datasource = image_datasource(image, 1);

	(void)state;
	put_number(image, 4, 100);
	image_define(image, &renamed, 1);
	assert_null(image_find(datasource, "b"));
	assert_true(image_find(datasource, "z")->value.number == 4);
	assert_string_equal(image_find(datasource, "z")->meta.unit, "kW");
	image_free(image);
}

static int wakes;

static void
count_wake(void *context)
{
	(void)context;
	wakes++;
}

static void
test_image_wakes_when_online_changes(void **state)
{
	struct image *image = make_image();
	uint64_t version = image_version(image);

	(void)state;
	wakes = 0;
	image_on_change(image, count_wake, NULL);
	image_set_online(image, 1, 10, true);
	image_set_online(image, 1, 20, true);
	assert_int_equal(wakes, 1);
	assert_true(image_version(image) == version + 1);
	assert_true(image_datasource(image, 1)->seen_us == 20);
	image_free(image);
}

static void
test_image_checkpoint_round_trip(void **state)
{
	struct image *image = make_image();
	struct image *copy = make_image();
	struct fault fault;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 0);
	put_number(image, -0.0, 100);
	put_text(image, "hello", 200);
	image_save(image, &bytes);
	assert_int_equal(
		image_load(copy, bytes.data, bytes.length, &fault), RC_OK);
	assert_true(signbit(image_variable(copy, 7)->value.number) != 0);
	assert_true(image_variable(copy, 7)->received_us == 105);
	assert_string_equal(
		image_variable(copy, 5000)->value.string.data, "hello");
	assert_true(image_variable(copy, 5000)->status == STATUS_INVALID);
	assert_int_equal(image_variable(copy, 9)->value.kind, VALUE_NONE);
	assert_true(image_position(copy, 3) == 100);
	for (size_t cut = 0; cut < bytes.length; cut++)
		assert_int_equal(image_load(copy, bytes.data, cut, &fault),
			RC_BAD_INPUT);
	buf_free(&bytes);
	image_free(copy);
	image_free(image);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image_finds_by_name_and_id),
		cmocka_unit_test(test_image_newest_source_time_wins),
		cmocka_unit_test(test_image_ignores_another_kind),
		cmocka_unit_test(test_image_renames_and_keeps_values),
		cmocka_unit_test(test_image_wakes_when_online_changes),
		cmocka_unit_test(test_image_checkpoint_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
