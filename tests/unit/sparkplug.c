/* sparkplug: births, data and deaths of a node, as they come. */

#include "agents/sparkplug.h"

#include <string.h>

#include "agents/sparkplug.pb-c.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "tests/unit/with_arena.h"

#define NOW_US   INT64_C(1772600800000000)
#define INPUTS   4
#define NO_VALUE INT64_MIN

enum { NODE_A, NODE_B, DEVICE_A, DEVICE_B };

/* What the host has made of it. */
static struct {
	struct sparkplug *host;
	int64_t steady_us;
	int asked;
	int puts[INPUTS];
	uint64_t status[INPUTS];
	int64_t values[INPUTS];
} seen;

static void
put(void *context, size_t index, int64_t time_us, uint64_t status,
	const struct value *raw)
{
	(void)context;
	assert_int_equal(time_us, NOW_US);
	seen.puts[index]++;
	seen.status[index] = status;
	seen.values[index] = raw != NULL ? raw->integer : NO_VALUE;
}

static void
ask(void *context, const char *group, const char *node)
{
	(void)context;
	assert_string_equal(group, "G");
	assert_string_equal(node, "N");
	seen.asked++;
}

static void
wait_seconds(int seconds)
{
	for (int i = 0; i < seconds; i++) {
		seen.steady_us += CLOCK_SECOND_US;
		sparkplug_tick(seen.host, NOW_US, seen.steady_us);
	}
}

/* A message with one metric of each letter in "names", all of that value. */
static void
tell(const char *topic, uint64_t sequence, const char *names, uint32_t value)
{
	Sparkplug__Payload payload = SPARKPLUG__PAYLOAD__INIT;
	Sparkplug__Metric metrics[8];
	Sparkplug__Metric *places[8];
	char words[8][2];
	uint8_t data[512];
	struct fault fault;

	for (size_t i = 0; names[i] != '\0'; i++) {
		sparkplug__metric__init(&metrics[i]);
		memcpy(words[i], (char[]){names[i], '\0'}, 2);
		metrics[i].name = words[i];
		metrics[i].value_case = SPARKPLUG__METRIC__VALUE_INT_VALUE;
		metrics[i].int_value = value;
		places[i] = &metrics[i];
		payload.n_metrics++;
	}
	payload.metrics = places;
	payload.has_seq = true;
	payload.seq = sequence;
	assert_true(
		sparkplug__payload__get_packed_size(&payload) <= sizeof(data));
	assert_true(sparkplug_take(seen.host, topic, data,
		sparkplug__payload__pack(&payload, data), NOW_US, &fault));
}

static int
open_host(void **state)
{
	static const struct sparkplug_calls calls = {.put = put, .ask = ask};
	static const struct mqtt_address addresses[INPUTS] = {
		[NODE_A] = {.group = "G",
			.node = "N",
			.device = "",
			.metric = "a"},
		[NODE_B] = {.group = "G",
			.node = "N",
			.device = "",
			.metric = "b"},
		[DEVICE_A] = {.group = "G",
			.node = "N",
			.device = "D",
			.metric = "a"},
		[DEVICE_B] = {.group = "G",
			.node = "N",
			.device = "D",
			.metric = "b"}};

	set_up(state);
	log_open("sparkplug", LOG_ERROR);
	memset(&seen, 0, sizeof(seen));
	seen.host = sparkplug_new(arena, &calls);
	for (size_t i = 0; i < INPUTS; i++)
		sparkplug_add(seen.host, &addresses[i], i);
	tell("spBv1.0/G/NBIRTH/N", 0, "ab", 1);
	tell("spBv1.0/G/DBIRTH/N/D", 1, "ab", 1);
	for (size_t i = 0; i < INPUTS; i++)
		assert_int_equal(seen.values[i], 1);
	wait_seconds(10);
	for (size_t i = 0; i < INPUTS; i++)
		assert_int_equal(seen.puts[i], 1);
	return 0;
}

static int
close_host(void **state)
{
	sparkplug_free(seen.host);
	return tear_down(state);
}

/* The value of before must not stay as a good one. */
static void
test_sparkplug_misses_what_is_not_born_again(void **state)
{
	(void)state;
	tell("spBv1.0/G/NBIRTH/N", 0, "a", 2);
	wait_seconds(3);
	assert_int_equal(seen.puts[NODE_B], 1);
	tell("spBv1.0/G/DBIRTH/N/D", 1, "b", 2);
	wait_seconds(10);
	assert_int_equal(seen.values[NODE_A], 2);
	assert_int_equal(seen.values[DEVICE_B], 2);
	for (size_t i = NODE_B; i <= DEVICE_A; i++) {
		assert_int_equal(seen.puts[i], 2);
		assert_int_equal(seen.values[i], NO_VALUE);
		assert_int_equal(seen.status[i], STATUS_INVALID);
	}
}

static void
test_sparkplug_misses_a_device_that_is_not_born_again(void **state)
{
	(void)state;
	tell("spBv1.0/G/NBIRTH/N", 0, "ab", 2);
	wait_seconds(10);
	assert_int_equal(seen.values[NODE_A], 2);
	assert_int_equal(seen.values[NODE_B], 2);
	for (size_t i = DEVICE_A; i <= DEVICE_B; i++) {
		assert_int_equal(seen.puts[i], 2);
		assert_int_equal(seen.status[i], STATUS_INVALID);
	}
	tell("spBv1.0/G/DBIRTH/N/D", 1, "ab", 3);
	assert_int_equal(seen.values[DEVICE_A], 3);
	assert_int_equal(seen.status[DEVICE_A], STATUS_GI);
}

/* A death has said so already. */
static void
test_sparkplug_tells_a_death_once(void **state)
{
	(void)state;
	tell("spBv1.0/G/NBIRTH/N", 0, "ab", 2);
	tell("spBv1.0/G/DDEATH/N/D", 1, "", 0);
	wait_seconds(10);
	assert_int_equal(seen.puts[DEVICE_A], 2);
	assert_int_equal(seen.status[DEVICE_A], STATUS_INVALID);
}

static void
test_sparkplug_asks_after_a_gap(void **state)
{
	(void)state;
	tell("spBv1.0/G/NDATA/N", 2, "a", 2);
	assert_int_equal(seen.values[NODE_A], 2);
	tell("spBv1.0/G/NDATA/N", 4, "a", 4);
	assert_int_equal(seen.values[NODE_A], 2);
	wait_seconds(1);
	assert_int_equal(seen.asked, 1);
	tell("spBv1.0/G/NBIRTH/N", 0, "ab", 5);
	assert_int_equal(seen.values[NODE_A], 5);
	assert_true(seen.status[NODE_A] & STATUS_OV);
	tell("spBv1.0/G/NDATA/N", 1, "a", 6);
	assert_int_equal(seen.values[NODE_A], 6);
	assert_false(seen.status[NODE_A] & STATUS_OV);
}

/* Sequences go to 255 and begin again with 0. */
static void
test_sparkplug_counts_around(void **state)
{
	(void)state;
	for (uint32_t i = 2; i < 600; i++)
		tell("spBv1.0/G/NDATA/N", i % 256, "a", i);
	assert_int_equal(seen.values[NODE_A], 599);
	assert_int_equal(seen.asked, 0);
}

/* As two nodes of one name do: each birth is followed by a gap. */
static void
test_sparkplug_asks_not_too_often(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		tell("spBv1.0/G/NDATA/N", 77, "a", i);
		seen.steady_us += CLOCK_SECOND_US / 10;
		sparkplug_tick(seen.host, NOW_US, seen.steady_us);
		tell("spBv1.0/G/NBIRTH/N", 0, "ab", i);
	}
	assert_in_range(seen.asked, 4, 6); /* in ten seconds */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_host, close_host)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_sparkplug_misses_what_is_not_born_again),
		TEST(test_sparkplug_misses_a_device_that_is_not_born_again),
		TEST(test_sparkplug_tells_a_death_once),
		TEST(test_sparkplug_asks_after_a_gap),
		TEST(test_sparkplug_counts_around),
		TEST(test_sparkplug_asks_not_too_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
