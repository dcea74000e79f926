/* history: whatever is packed and merged, the same samples come back. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "model/chunk.h"
#include "model/chunk_store.h"
#include "model/history.h"
#include "model/pack.h"
#include "model/partition.h"
#include "tests/sql/cluster.h"
#include "tests/sql/oracle.h"
#include "tests/unit/series.h"

/* 2023-11-14; the walk below passes the end of the month. */
#define T0      INT64_C(1700000000000000)
#define SPAN_US (40 * CLOCK_DAY_US)

static const struct stmt *const keeper_sets[] = {
	pack_stmts, chunk_store_stmts, partition_stmts, NULL};
static const struct stmt *const reader_sets[] = {history_stmts, NULL};
static const struct stmt *const oracle_sets[] = {oracle_stmts, NULL};

struct fixture {
	struct db *owner;
	struct db *keeper;
	struct db *reader;
	struct oracle oracle;
	struct series series;
	struct arena *arena; /* of one check */
	struct fault fault;
};

static int
setup(void **state)
{
	static struct fixture fixture;
	static int serial;
	char name[32];

	memset(&fixture, 0, sizeof(fixture));
	fixture.owner = cluster_open("fieldgrid_owner", oracle_sets);
	fixture.keeper = cluster_open("fieldgrid_keeper", keeper_sets);
	fixture.reader = cluster_open("fieldgrid_api", reader_sets);
	fixture.arena = arena_new();
	fixture.series.seed = (uint64_t)(serial + 77);
	snprintf(name, sizeof(name), "plant %d", serial++);
	oracle_open(&fixture.oracle, fixture.owner, name);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	oracle_close(&fixture->oracle);
	arena_free(fixture->arena);
	db_close(fixture->owner);
	db_close(fixture->keeper);
	db_close(fixture->reader);
	return 0;
}

static void
check(enum rc rc, const struct fixture *fixture)
{
	if (rc != RC_OK)
		fail_msg("%s", fixture->fault.text);
}

static uint64_t
draw(struct fixture *fixture, uint64_t below)
{
	return series_random(&fixture->series) % below;
}

/* A frame of all variables about "around_us", some of it sent again. */
static void
send_some(struct fixture *fixture, int64_t around_us, size_t count)
{
	struct arena *arena = arena_new();
	struct sample *samples = arena_array(arena, count, sizeof(*samples));

	for (size_t i = 0; i < count; i++) {
		size_t kind = draw(fixture, ORACLE_VARIABLES);
		struct sample *one = series_single(&fixture->series, arena,
			(enum value_kind)(kind + 1), 1);

		samples[i] = *one;
		samples[i].variable_id = fixture->oracle.ids[kind];
		samples[i].time_us = around_us + (int64_t)draw(fixture, 3600) *
							 CLOCK_SECOND_US;
	}
	oracle_send(&fixture->oracle, samples, count);
	if (draw(fixture, 4) == 0)
		oracle_send(&fixture->oracle, samples, 1 + count / 3);
	arena_free(arena);
}

/* --- reading and comparing ------------------------------------------------ */

struct seen {
	struct arena *arena;
	struct sample *samples;
	size_t count;
	size_t room;
};

static enum rc
see(void *context, const struct sample *sample, struct fault *fault)
{
	struct seen *seen = context;
	struct value *value;

	(void)fault;
	assert_true(seen->count < seen->room);
	seen->samples[seen->count] = *sample;
	value = &seen->samples[seen->count++].value;
	if (value->kind == VALUE_STRING)
		value->string.data =
			arena_strdup(seen->arena, value->string.data);
	return RC_OK;
}

static struct seen
read_history(struct fixture *fixture, const struct history_query *query)
{
	struct seen seen = {.arena = fixture->arena,
		.room = fixture->oracle.count + 2 * query->count};
	const struct history_visitor visitor = {see, &seen};

	seen.samples =
		arena_array(seen.arena, seen.room, sizeof(*seen.samples));
	check(history_read(fixture->reader, fixture->arena, query, &visitor,
		      &fixture->fault),
		fixture);
	return seen;
}

static void
check_variable(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	struct history_query query = {.variable_ids = &id,
		.count = 1,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_VARIABLE,
		.bounds = false};
	struct seen seen = read_history(fixture, &query);
	size_t count;
	const struct sample *expected = oracle_expect(
		&fixture->oracle, fixture->arena, id, from_us, to_us, &count);

	assert_int_equal(seen.count, count);
	for (size_t i = 0; i < count; i++)
		series_assert_equal(&expected[i], &seen.samples[i]);
	if (count < 3)
		return;
	query.limit = count / 2;
	seen = read_history(fixture, &query);
	assert_int_equal(seen.count, count / 2);
	series_assert_equal(
		&expected[count / 2 - 1], &seen.samples[count / 2 - 1]);
}

static void
check_bounds(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_query query = {.variable_ids = &id,
		.count = 1,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_VARIABLE,
		.bounds = true};
	struct seen seen = read_history(fixture, &query);
	size_t before;
	size_t inside;
	size_t after;
	const struct sample *expected = oracle_expect(&fixture->oracle,
		fixture->arena, id, T0 - SPAN_US, from_us, &before);
	size_t at = 0;

	if (before > 0)
		series_assert_equal(&expected[before - 1], &seen.samples[at++]);
	expected = oracle_expect(
		&fixture->oracle, fixture->arena, id, from_us, to_us, &inside);
	for (size_t i = 0; i < inside; i++)
		series_assert_equal(&expected[i], &seen.samples[at++]);
	expected = oracle_expect(&fixture->oracle, fixture->arena, id, to_us,
		T0 + 2 * SPAN_US, &after);
	if (after > 0)
		series_assert_equal(&expected[0], &seen.samples[at++]);
	assert_int_equal(seen.count, at);
}

/* All variables in one call are what each is alone. */
static void
check_together(struct fixture *fixture, int64_t from_us, int64_t to_us)
{
	struct history_query query = {.variable_ids = fixture->oracle.ids,
		.count = ORACLE_VARIABLES,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_VARIABLE,
		.bounds = true};
	struct seen together = read_history(fixture, &query);
	struct history_envelope envelopes[ORACLE_VARIABLES];
	size_t at = 0;

	query.count = 1;
	for (int i = 0; i < ORACLE_VARIABLES; i++) {
		struct seen alone;

		query.variable_ids = &fixture->oracle.ids[i];
		alone = read_history(fixture, &query);
		for (size_t k = 0; k < alone.count; k++)
			series_assert_equal(
				&alone.samples[k], &together.samples[at++]);
	}
	assert_int_equal(together.count, at);
	query.variable_ids = fixture->oracle.ids;
	query.count = ORACLE_VARIABLES;
	if (from_us == to_us)
		return;
	check(history_envelopes(fixture->reader, fixture->arena, &query, 20,
		      envelopes, &fixture->fault),
		fixture);
	for (int i = 0; i < ORACLE_VARIABLES; i++) {
		const struct history_range range = {
			fixture->oracle.ids[i], from_us, to_us};
		struct history_envelope alone;

		check(history_envelope(fixture->reader, fixture->arena, &range,
			      20, &alone, &fixture->fault),
			fixture);
		assert_int_equal(alone.samples, envelopes[i].samples);
		assert_int_equal(alone.count, envelopes[i].count);
		assert_memory_equal(alone.maximum, envelopes[i].maximum,
			alone.count * sizeof(double));
	}
}

static void
check_by_time(struct fixture *fixture, int64_t from_us, int64_t to_us)
{
	const struct history_query query = {.variable_ids = fixture->oracle.ids,
		.count = ORACLE_VARIABLES,
		.from_us = from_us,
		.to_us = to_us,
		.order = HISTORY_BY_TIME};
	struct seen seen = read_history(fixture, &query);
	size_t sum = 0;

	for (int i = 0; i < ORACLE_VARIABLES; i++) {
		int32_t id = fixture->oracle.ids[i];
		size_t at = 0;
		size_t count;
		const struct sample *expected = oracle_expect(&fixture->oracle,
			fixture->arena, id, from_us, to_us, &count);

		for (size_t k = 0; k < seen.count; k++)
			if (seen.samples[k].variable_id == id)
				series_assert_equal(
					&expected[at++], &seen.samples[k]);
		assert_int_equal(at, count);
		sum += count;
	}
	assert_int_equal(seen.count, sum);
	for (size_t k = 1; k < seen.count; k++)
		assert_true(
			seen.samples[k - 1].time_us <= seen.samples[k].time_us);
}

static void
check_at(struct fixture *fixture, int64_t time_us)
{
	const int32_t *ids = fixture->oracle.ids;
	const int32_t mixed[] = {
		ids[2], ids[0], ids[2], 999999, ids[3], ids[1]};
	struct sample found[ARRAY_LENGTH(mixed)];

	check(history_at(fixture->reader, fixture->arena, mixed,
		      ARRAY_LENGTH(mixed), time_us, found, &fixture->fault),
		fixture);
	for (size_t i = 0; i < ARRAY_LENGTH(mixed); i++) {
		size_t count;
		const struct sample *expected =
			oracle_expect(&fixture->oracle, fixture->arena,
				mixed[i], T0 - SPAN_US, time_us + 1, &count);

		assert_int_equal(found[i].variable_id, mixed[i]);
		if (count == 0)
			assert_int_equal(found[i].value.kind, VALUE_NONE);
		else
			assert_true(found[i].time_us ==
				    expected[count - 1].time_us);
	}
}

static void
assert_same_number(double expected, double actual)
{
	if (isnan(expected))
		assert_true(isnan(actual));
	else
		assert_true(
			fabs(expected - actual) <= 1e-9 * (1 + fabs(expected)));
}

/* Naively: every sample into its bucket. */
static void
check_envelope(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_range range = {id, from_us, to_us};
	size_t points = 1 + draw(fixture, 60);
	struct history_envelope envelope;
	size_t count;
	const struct sample *expected = oracle_expect(
		&fixture->oracle, fixture->arena, id, from_us, to_us, &count);
	size_t at = 0;

	check(history_envelope(fixture->reader, fixture->arena, &range, points,
		      &envelope, &fixture->fault),
		fixture);
	assert_true(envelope.count <= points);
	assert_true(envelope.samples >= (int64_t)count);
	for (size_t i = 0; i < envelope.count; i++) {
		double minimum = NAN;
		double maximum = NAN;
		double last = NAN;
		uint64_t status = 0;
		int64_t end_us = envelope.time_us[i] + envelope.bucket_us;

		assert_true(at < count &&
			    expected[at].time_us >= envelope.time_us[i]);
		for (; at < count && expected[at].time_us < end_us; at++) {
			double number = value_number(&expected[at].value);

			last = chunk_good(expected[at].status, number) ? number
								       : NAN;
			minimum = fmin(minimum, last);
			maximum = fmax(maximum, last);
			status |= expected[at].status;
		}
		assert_same_number(minimum, envelope.minimum[i]);
		assert_same_number(maximum, envelope.maximum[i]);
		assert_true(status == envelope.status[i]);
		/* Which of several at the same time is last, only arrival
		 * says; the naive list and the drawing may differ there. */
		if (at < 2 ||
			expected[at - 1].time_us != expected[at - 2].time_us)
			assert_same_number(last, envelope.last[i]);
	}
	assert_int_equal(at, count);
}

/* Naively: each microsecond of a cycle asked for its value, by segments. */
static void
check_aggregate(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_range range = {id, from_us, to_us};
	int64_t cycle_us =
		1 + (to_us - from_us) / (int64_t)(1 + draw(fixture, 30));
	struct history_cycles sum;
	struct history_cycles average;
	struct history_cycles maximum;
	size_t count;
	const struct sample *all = oracle_expect(&fixture->oracle,
		fixture->arena, id, T0 - SPAN_US, to_us, &count);

	check(history_aggregate(fixture->reader, fixture->arena, &range,
		      cycle_us, HISTORY_SUM, &sum, &fixture->fault),
		fixture);
	check(history_aggregate(fixture->reader, fixture->arena, &range,
		      cycle_us, HISTORY_AVERAGE, &average, &fixture->fault),
		fixture);
	check(history_aggregate(fixture->reader, fixture->arena, &range,
		      cycle_us, HISTORY_MAXIMUM, &maximum, &fixture->fault),
		fixture);
	for (size_t c = 0; c < sum.count; c++) {
		int64_t begin = sum.time_us[c];
		int64_t end =
			begin + cycle_us < to_us ? begin + cycle_us : to_us;
		double total = 0;
		double integral = 0;
		double most = NAN;
		int64_t good = 0;
		int64_t good_us = 0;

		for (size_t i = 0; i < count; i++) {
			double number = value_number(&all[i].value);
			int64_t until =
				i + 1 < count ? all[i + 1].time_us : to_us;
			int64_t a =
				all[i].time_us > begin ? all[i].time_us : begin;
			int64_t b = until < end ? until : end;
			bool within =
				all[i].time_us >= begin && all[i].time_us < end;

			if (!chunk_good(all[i].status, number))
				continue;
			if (within) {
				good++;
				total += number;
			}
			if (within || a < b)
				most = fmax(most, number);
			if (a < b) {
				good_us += b - a;
				integral += number * (double)(b - a);
			}
		}
		assert_same_number(good > 0 ? total : NAN, sum.value[c]);
		assert_same_number(most, maximum.value[c]);
		assert_true(good_us == average.good_us[c]);
		if (good_us > 0)
			assert_same_number(
				integral / (double)good_us, average.value[c]);
	}
}

static void
check_all(struct fixture *fixture)
{
	for (int round = 0; round < 6; round++) {
		int64_t from_us = T0 +
				  (int64_t)draw(fixture, (uint64_t)SPAN_US) -
				  CLOCK_DAY_US;
		int64_t to_us =
			from_us + (int64_t)draw(fixture, (uint64_t)SPAN_US);

		if (round == 0) {
			from_us = T0 - CLOCK_DAY_US;
			to_us = T0 + SPAN_US;
		}
		for (int i = 0; i < ORACLE_VARIABLES; i++)
			check_variable(fixture, fixture->oracle.ids[i], from_us,
				to_us);
		check_by_time(fixture, from_us, to_us);
		check_together(fixture, from_us, to_us);
		check_bounds(fixture, fixture->oracle.ids[round % 4], from_us,
			to_us);
		check_at(fixture, from_us);
		if (to_us == from_us)
			continue;
		for (int i = 0; i < ORACLE_VARIABLES; i++)
			check_envelope(fixture, fixture->oracle.ids[i], from_us,
				to_us);
		check_aggregate(
			fixture, fixture->oracle.ids[1], from_us, to_us);
		arena_reset(fixture->arena);
	}
}

/* --- packing -------------------------------------------------------------- */

static struct pack_count
pack_all(struct fixture *fixture, size_t samples_max)
{
	const struct pack_limits limits = {
		.received_before_us = clock_now_us() + CLOCK_HOUR_US,
		.samples_max = samples_max};
	struct pack_count count = {0};
	struct arena *arena = arena_new();
	int64_t after_id = 0;
	bool more = true;

	while (more) {
		check(pack_frames(fixture->keeper, arena, &limits, &after_id,
			      &more, &count, &fixture->fault),
			fixture);
		arena_reset(arena);
	}
	arena_free(arena);
	return count;
}

static void
merge_all(struct fixture *fixture, enum pack_merging merging)
{
	struct arena *arena = arena_new();
	struct pack_count done = {0};
	int64_t *months;
	size_t count;

	check(partition_months(
		      fixture->keeper, arena, &months, &count, &fixture->fault),
		fixture);
	for (size_t i = 0; i < count; i++)
		check(pack_merge(fixture->keeper, arena, months[i], merging,
			      NULL, &done, &fixture->fault),
			fixture);
	arena_free(arena);
}

static void
test_history_reads_frames_and_chunks_as_one(void **state)
{
	struct fixture *fixture = *state;
	int64_t around_us = T0;

	for (int round = 0; round < 12; round++) {
		for (int i = 0; i < 20; i++) {
			/* some come late */
			int64_t late = draw(fixture, 5) == 0
					       ? (int64_t)draw(fixture, 20) *
							 CLOCK_DAY_US
					       : 0;

			if (late > around_us - T0)
				late = around_us - T0;
			send_some(fixture, around_us - late,
				1 + draw(fixture, 60));
			around_us += (int64_t)draw(fixture, 4 * 3600) *
				     CLOCK_SECOND_US;
		}
		if (round % 3 != 2)
			pack_all(fixture, round % 2 ? 300 : 100000);
		if (round % 4 == 1)
			merge_all(fixture, PACK_MERGE_DUE);
		if (round % 4 == 3)
			merge_all(fixture, PACK_MERGE_ALL);
		check_all(fixture);
	}
	pack_all(fixture, 100000);
	assert_int_equal(
		oracle_count(&fixture->oracle, ORACLE_COUNT_FRAMES), 0);
	merge_all(fixture, PACK_MERGE_ALL);
	check_all(fixture);
}

static void
test_history_of_nothing_is_empty(void **state)
{
	struct fixture *fixture = *state;

	check_all(fixture);
}

static void
test_history_refuses_empty_ranges_and_too_many_points(void **state)
{
	struct fixture *fixture = *state;
	const struct history_range range = {1, T0, T0};
	struct history_envelope envelope;
	struct history_cycles cycles;

	assert_int_equal(history_envelope(fixture->reader, fixture->arena,
				 &range, 100, &envelope, &fixture->fault),
		RC_BAD_INPUT);
	assert_int_equal(
		history_aggregate(fixture->reader, fixture->arena, &range, 1,
			HISTORY_SUM, &cycles, &fixture->fault),
		RC_BAD_INPUT);
	assert_false(db_in_transaction(fixture->reader));
}

/* More than one window holds: 700,000 samples of one variable. */
static void
test_history_long_ranges_come_in_windows(void **state)
{
	struct fixture *fixture = *state;
	struct sample *samples =
		arena_array(fixture->oracle.arena, 50000, sizeof(*samples));
	int32_t id = fixture->oracle.ids[1];
	struct history_query query = {.variable_ids = &id,
		.count = 1,
		.from_us = T0,
		.to_us = T0 + 800000000,
		.order = HISTORY_BY_VARIABLE,
		.bounds = false};
	int64_t next = 0;
	struct seen seen;

	for (int frame = 0; frame < 14; frame++) {
		for (int i = 0; i < 50000; i++, next++)
			samples[i] = (struct sample){id, T0 + next * 1000, 0,
				{VALUE_FLOAT, .number = (double)next}};
		oracle_send(&fixture->oracle, samples, 50000);
		if (frame == 9)
			pack_all(fixture, 500000);
	}
	seen = read_history(fixture, &query);
	assert_int_equal(seen.count, 700000);
	for (size_t i = 0; i < seen.count; i++)
		assert_true(seen.samples[i].value.number == (double)i);
	query.limit = 5;
	seen = read_history(fixture, &query);
	assert_int_equal(seen.count, 5);
	pack_all(fixture, 500000);
}

/* A reader that began before packing sees the frames it saw, once. */
static void
test_history_snapshot_outlives_packing(void **state)
{
	struct fixture *fixture = *state;
	int32_t id = fixture->oracle.ids[1];

	send_some(fixture, T0, 400);
	check(history_begin(fixture->reader, &fixture->fault), fixture);
	check_variable(fixture, id, T0, T0 + CLOCK_DAY_US);
	pack_all(fixture, 100000);
	check_variable(fixture, id, T0, T0 + CLOCK_DAY_US);
	db_rollback(fixture->reader);
	check_variable(fixture, id, T0, T0 + CLOCK_DAY_US);
	assert_int_equal(
		oracle_count(&fixture->oracle, ORACLE_COUNT_FRAMES), 0);
}

static void
test_history_equal_times_keep_their_order(void **state)
{
	struct fixture *fixture = *state;
	int32_t id = fixture->oracle.ids[2];

	for (int i = 0; i < 40; i++) {
		struct sample sample = {
			id, T0 + i / 10, 0, {VALUE_INT, .integer = i * 7 % 40}};

		oracle_send(&fixture->oracle, &sample, 1);
		if (i % 3 == 0)
			pack_all(fixture, 1);
		if (i % 7 == 0)
			merge_all(fixture, PACK_MERGE_ALL);
		check_variable(fixture, id, T0, T0 + 1000);
	}
	pack_all(fixture, 100);
	merge_all(fixture, PACK_MERGE_ALL);
	check_variable(fixture, id, T0, T0 + 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_history_of_nothing_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_history_refuses_empty_ranges_and_too_many_points,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_history_equal_times_keep_their_order, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_history_reads_frames_and_chunks_as_one, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_history_snapshot_outlives_packing, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_history_long_ranges_come_in_windows, setup,
			teardown),
	};

	cluster_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
