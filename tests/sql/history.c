/* history: whatever is packed and merged, the same samples come back. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/clock.h"
#include "model/chunk_store.h"
#include "model/history.h"
#include "model/pack.h"
#include "model/partition.h"
#include "tests/sql/cluster.h"
#include "tests/sql/history_check.h"

static const struct stmt *const keeper_sets[] = {
	pack_stmts, chunk_store_stmts, partition_stmts, NULL};
static const struct stmt *const reader_sets[] = {history_stmts, NULL};
static const struct stmt *const oracle_sets[] = {oracle_stmts, NULL};

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
