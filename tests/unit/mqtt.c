/* mqtt: addresses, payloads, times and the ring of the driver mqtt. */

#include "agents/driver_mqtt_parts.h"
#include "agents/mqtt_address.h"
#include "agents/mqtt_payload.h"
#include "agents/mqtt_ring.h"
#include "lib/clock.h"
#include "tests/unit/with_arena.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct fault fault;

/* --- addresses ----------------------------------------------------------- */

static enum rc
parse(const char *pattern, const char *name, const char *address,
	struct mqtt_address *result)
{
	struct input input = {.name = name, .address = address};

	return mqtt_address_parse(arena, pattern, &input, result, &fault);
}

static void
test_mqtt_address_fills_the_pattern(void **state)
{
	struct mqtt_address address;

	(void)state;
	assert_int_equal(parse("{address}", "n", "a/b", &address), RC_OK);
	assert_string_equal(address.topic, "a/b");
	assert_null(address.path);
	assert_null(address.time);
	assert_int_equal(
		parse("x/{name}/y", "line/1", "line/1", &address), RC_OK);
	assert_string_equal(address.topic, "x/line/1/y");
	assert_int_equal(
		parse("{name}/{address}/{name}", "n", "a", &address), RC_OK);
	assert_string_equal(address.topic, "n/a/n");
	assert_int_equal(parse("{other}/{address}", "n", "a", &address), RC_OK);
	assert_string_equal(address.topic, "{other}/a"); /* as it is */
}

static void
test_mqtt_address_has_paths(void **state)
{
	struct mqtt_address address;

	(void)state;
	assert_int_equal(parse("{address}", "n", "a#v.x@t", &address), RC_OK);
	assert_string_equal(address.topic, "a");
	assert_string_equal(address.path, "v.x");
	assert_string_equal(address.time, "t");
	assert_int_equal(parse("p/{address}#v@t", "n", "a", &address), RC_OK);
	assert_string_equal(address.topic, "p/a");
	assert_string_equal(address.path, "v");
	assert_string_equal(address.time, "t");
	/* The address's own path comes first, the time stays. */
	assert_int_equal(parse("p/{address}#v@t", "n", "a#w", &address), RC_OK);
	assert_string_equal(address.path, "w");
	assert_string_equal(address.time, "t");
	assert_int_equal(
		parse("{address}", "n", "a#['x@y']@t", &address), RC_OK);
	assert_string_equal(address.path, "['x@y']");
	assert_string_equal(address.time, "t");
	/* A time alone needs a message that is JSON. */
	assert_int_equal(parse("{address}#@t", "n", "a#v", &address), RC_OK);
	assert_string_equal(address.time, "t");
}

static void
test_mqtt_address_knows_sparkplug(void **state)
{
	struct mqtt_address address;

	(void)state;
	assert_int_equal(
		parse("{address}", "n", "spBv1.0/G/N#Node/Up@1", &address),
		RC_OK);
	assert_string_equal(address.group, "G");
	assert_string_equal(address.node, "N");
	assert_string_equal(address.device, "");
	assert_string_equal(address.metric, "Node/Up@1");
	assert_int_equal(
		parse("spBv1.0/G/{address}", "n", "N/D#m", &address), RC_OK);
	assert_string_equal(address.device, "D");
	assert_string_equal(address.metric, "m");
}

static void
test_mqtt_address_refuses(void **state)
{
	static const char *const wrong[] = {"", "a/+/b", "#v", "+",
		"spBv1.0/G#m", "spBv1.0/G/N", "spBv1.0/G/N#",
		"spBv1.0/G/N/D/E#m"};
	struct mqtt_address address;
	char large[640];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (parse("{address}", "n", wrong[i], &address) != RC_BAD_INPUT)
			fail_msg("\"%s\" is taken", wrong[i]);
	snprintf(large, sizeof(large), "spBv1.0/G/%0600d#m", 0);
	assert_int_equal(
		parse("{address}", "n", large, &address), RC_BAD_INPUT);
}

static void
test_mqtt_address_finds_its_neighbours(void **state)
{
	struct input input = {.name = "n", .address = "a/b#v@t"};
	struct mqtt_address address;
	struct mqtt_address other;

	(void)state;
	assert_int_equal(mqtt_address_parse(arena, "x/{address}", &input,
				 &address, &fault),
		RC_OK);
	assert_int_equal(mqtt_address_beside(arena, "{topic}/set", &input,
				 &address, &other, &fault),
		RC_OK);
	assert_string_equal(other.topic, "x/a/b/set");
	assert_null(other.path); /* its own address's path is not this one's */
	assert_int_equal(mqtt_address_beside(arena, "back/{name}#ok", &input,
				 &address, &other, &fault),
		RC_OK);
	assert_string_equal(other.topic, "back/n");
	assert_string_equal(other.path, "ok");
	assert_int_equal(mqtt_address_beside(arena, "back/+", &input, &address,
				 &other, &fault),
		RC_BAD_INPUT);
}

/* --- payloads ------------------------------------------------------------ */

static bool
take(const char *text, enum value_kind kind, struct value *value)
{
	return mqtt_payload_text(text, strlen(text), kind, value);
}

static void
test_mqtt_payload_is_a_number(void **state)
{
	struct value value;

	(void)state;
	assert_true(take(" 21.5\r\n", VALUE_FLOAT, &value));
	assert_true(value.kind == VALUE_FLOAT && value.number == 21.5);
	assert_true(take("-1e-3", VALUE_FLOAT, &value));
	assert_true(value.number == -0.001);
	assert_true(take("9007199254740993", VALUE_INT, &value));
	assert_true(value.kind == VALUE_INT &&
		    value.integer == INT64_C(9007199254740993));
	assert_true(take("-9223372036854775808", VALUE_INT, &value));
	assert_true(value.integer == INT64_MIN);
	assert_true(take("9223372036854775808", VALUE_INT, &value));
	assert_true(value.kind == VALUE_FLOAT); /* the sampler refuses it */
	assert_true(take("Off", VALUE_BOOL, &value));
	assert_true(value.kind == VALUE_BOOL && !value.boolean);
	assert_true(take("yes", VALUE_FLOAT, &value));
	assert_true(value.kind == VALUE_BOOL && value.boolean);
}

static void
test_mqtt_payload_is_no_number(void **state)
{
	static const char *const wrong[] = {"", " ", "1.2.3", "12 kW", "0x10",
		"nan", "inf", "1e999", "--1", "e", "1,5", "truely",
		"11111111111111111111111111111111111111111111111111111111111"
		"11111111"};
	struct value value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (take(wrong[i], VALUE_FLOAT, &value))
			fail_msg("\"%s\" is taken", wrong[i]);
	assert_false(mqtt_payload_text("1\0002", 3, VALUE_INT, &value));
}

static void
test_mqtt_payload_is_text(void **state)
{
	static char large[VALUE_STRING_BYTES_MAX + 2];
	struct value value;

	(void)state;
	assert_true(take(" l\xc3\xa4uft ", VALUE_STRING, &value));
	assert_int_equal(value.string.bytes, 8);
	assert_true(take("", VALUE_STRING, &value));
	assert_int_equal(value.string.bytes, 0);
	assert_false(take("\xff", VALUE_STRING, &value));
	assert_false(mqtt_payload_text("a\000b", 3, VALUE_STRING, &value));
	memset(large, 'x', sizeof(large) - 1);
	assert_false(take(large, VALUE_STRING, &value));
	large[VALUE_STRING_BYTES_MAX] = '\0';
	assert_true(take(large, VALUE_STRING, &value));
}

/* What "text" as JSON is for a variable of that kind. */
static bool
take_json(const char *text, enum value_kind kind, struct value *value,
	struct json_tree *tree)
{
	size_t leaf;

	json_tree_init(tree);
	assert_int_equal(json_tree_add(tree, arena, "$", &leaf, &fault), RC_OK);
	assert_true(json_tree_read(tree, text, strlen(text)));
	return mqtt_payload_leaf(tree, &tree->leaves[leaf], kind, value);
}

static void
test_mqtt_payload_takes_json_values(void **state)
{
	struct json_tree tree;
	struct value value;

	(void)state;
	assert_true(take_json("7", VALUE_FLOAT, &value, &tree));
	assert_true(value.kind == VALUE_INT && value.integer == 7);
	json_tree_free(&tree);
	assert_true(take_json("\"7.5\"", VALUE_FLOAT, &value, &tree));
	assert_true(value.number == 7.5);
	json_tree_free(&tree);
	assert_true(take_json("true", VALUE_FLOAT, &value, &tree));
	assert_true(value.boolean);
	json_tree_free(&tree);
	assert_true(take_json("1.50", VALUE_STRING, &value, &tree));
	assert_string_equal(value.string.data, "1.50");
	json_tree_free(&tree);
	assert_false(take_json("null", VALUE_STRING, &value, &tree));
	json_tree_free(&tree);
	assert_false(take_json("{}", VALUE_FLOAT, &value, &tree));
	json_tree_free(&tree);
	assert_false(take_json("\"x\"", VALUE_BOOL, &value, &tree));
	json_tree_free(&tree);
}

/* --- times --------------------------------------------------------------- */

#define NOW_US INT64_C(1772600800000000) /* 2026-03-04T05:06:40Z */

static int64_t
time_in(const char *text)
{
	struct json_tree tree;
	int64_t time_us;
	size_t leaf;
	bool good;

	json_tree_init(&tree);
	assert_int_equal(
		json_tree_add(&tree, arena, "$", &leaf, &fault), RC_OK);
	assert_true(json_tree_read(&tree, text, strlen(text)));
	good = mqtt_payload_time(&tree, &tree.leaves[leaf], NOW_US, &time_us);
	json_tree_free(&tree);
	return good ? time_us : CLOCK_NEVER;
}

static void
test_mqtt_payload_reads_times(void **state)
{
	static const char *const same[] = {"1772600768", "1772600768000",
		"1772600768000000", "1772600768000000000", "1.772600768e9",
		"1772600768.0", "\"1772600768000\"", "\"2026-03-04T05:06:08Z\"",
		"\"2026-03-04T05:06:08\"", "\"2026-03-04 05:06:08.000\"",
		"\"2026-03-04T06:06:08+01:00\""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(same); i++)
		if (time_in(same[i]) != INT64_C(1772600768000000))
			fail_msg("%s is %lld", same[i],
				(long long)time_in(same[i]));
	assert_true(time_in("\"2026-03-04T05:06:08.123456Z\"") ==
		    INT64_C(1772600768123456));
	assert_true(time_in("1772600768.25") == INT64_C(1772600768250000));
}

static void
test_mqtt_payload_refuses_times(void **state)
{
	static const char *const wrong[] = {"0", "-1", "5", "null", "true",
		"\"\"", "\"yesterday\"", "\"2026-13-04T05:06:08Z\"", "{}",
		"1e300", "946684799", "1772601500", "99999999999999999999",
		"\"2026-03-04\""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
		if (time_in(wrong[i]) != CLOCK_NEVER)
			fail_msg("%s is taken", wrong[i]);
}

/* --- the ring ------------------------------------------------------------ */

static bool
put(struct mqtt_ring *ring, const char *topic, const char *data, size_t bytes)
{
	struct mqtt_item item = {.topic = topic, .data = data, .bytes = bytes};

	return mqtt_ring_put(ring, &item);
}

static void
test_mqtt_ring_is_bounded(void **state)
{
	struct mqtt_ring *ring = mqtt_ring_new(4096);
	static const char data[500];
	struct mqtt_item item;
	size_t count = 0;

	(void)state;
	assert_false(mqtt_ring_peek(ring, &item));
	while (put(ring, "topic", data, sizeof(data)))
		count++;
	assert_in_range(count, 6, 8);
	assert_true(mqtt_ring_peek(ring, &item));
	assert_string_equal(item.topic, "topic");
	mqtt_ring_next(ring);
	assert_true(put(ring, "topic", data, sizeof(data)));
	assert_false(put(ring, "topic", data, sizeof(data)));
	assert_false(mqtt_ring_fits(ring, 5, 2000));
	assert_true(mqtt_ring_end(ring) > mqtt_ring_taken(ring));
	for (size_t i = 0; i < count; i++)
		mqtt_ring_next(ring);
	assert_false(mqtt_ring_peek(ring, &item));
	assert_true(mqtt_ring_end(ring) == mqtt_ring_taken(ring));
	mqtt_ring_free(ring);
}

#define ITEMS 200000

static void *
fill(void *context)
{
	struct mqtt_ring *ring = context;
	char text[300];

	for (size_t i = 0; i < ITEMS; i++) {
		int length = snprintf(text, sizeof(text), "%zu %.*s", i,
			(int)(i * 7 % 256),
			"..............................."
			"...................................................."
			"...................................................."
			"...................................................."
			"...................................................."
			".................");

		while (!put(ring, i % 3 == 0 ? "" : "a/topic", text,
			(size_t)length))
			sched_yield();
	}
	return NULL;
}

static void
test_mqtt_ring_keeps_order_between_threads(void **state)
{
	struct mqtt_ring *ring = mqtt_ring_new(4096);
	struct mqtt_item item;
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, fill, ring), 0);
	for (size_t i = 0; i < ITEMS; i++) {
		size_t number;

		while (!mqtt_ring_peek(ring, &item))
			sched_yield();
		assert_int_equal(sscanf(item.data, "%zu", &number), 1);
		assert_int_equal(number, i);
		assert_int_equal(strlen(item.data), item.bytes);
		assert_int_equal(item.topic[0] == '\0', i % 3 == 0);
		mqtt_ring_next(ring);
	}
	pthread_join(thread, NULL);
	assert_false(mqtt_ring_peek(ring, &item));
	mqtt_ring_free(ring);
}

/* --- feedback ------------------------------------------------------------ */

static int confirmed;

static void
count_written(struct sink *sink, uint64_t token, enum rc rc,
	const struct value *raw, const char *why)
{
	(void)sink;
	(void)why;
	assert_int_equal(token, 7);
	assert_int_equal(rc, RC_OK);
	assert_int_equal(raw->integer, 5);
	confirmed++;
}

/* A message that came before the command says nothing about it. */
static void
test_mqtt_feedback_must_be_younger(void **state)
{
	struct sink sink = {.written = count_written};
	struct mqtt mqtt = {.sink = &sink, .ring = mqtt_ring_new(4096)};
	struct mqtt_item item = {.topic = "t", .data = "5", .bytes = 1};
	struct value five = {.kind = VALUE_INT, .integer = 5};
	struct mqtt_pending *pending = calloc(1, sizeof(*pending));

	(void)state;
	assert_non_null(pending);
	assert_true(mqtt_ring_put(mqtt.ring, &item));
	*pending = (struct mqtt_pending){
		.token = 7, .raw = five, .from = mqtt_ring_end(mqtt.ring)};
	mqtt.pending = pending;
	assert_true(mqtt_ring_put(mqtt.ring, &item));
	mqtt_feedback(&mqtt, 0, &five);
	assert_int_equal(confirmed, 0);
	mqtt_ring_next(mqtt.ring);
	mqtt_feedback(&mqtt, 0, &five);
	assert_int_equal(confirmed, 1);
	assert_null(mqtt.pending);
	mqtt_ring_free(mqtt.ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mqtt_address_fills_the_pattern),
		cmocka_unit_test(test_mqtt_address_has_paths),
		cmocka_unit_test(test_mqtt_address_knows_sparkplug),
		cmocka_unit_test(test_mqtt_address_refuses),
		cmocka_unit_test(test_mqtt_address_finds_its_neighbours),
		cmocka_unit_test(test_mqtt_payload_is_a_number),
		cmocka_unit_test(test_mqtt_payload_is_no_number),
		cmocka_unit_test(test_mqtt_payload_is_text),
		cmocka_unit_test(test_mqtt_payload_takes_json_values),
		cmocka_unit_test(test_mqtt_payload_reads_times),
		cmocka_unit_test(test_mqtt_payload_refuses_times),
		cmocka_unit_test(test_mqtt_ring_is_bounded),
		cmocka_unit_test(test_mqtt_ring_keeps_order_between_threads),
		cmocka_unit_test(test_mqtt_feedback_must_be_younger),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
