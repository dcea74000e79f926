/* keeper: killed at any moment, or with the database gone for a while, it
 * leaves every sample in history exactly once. */

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "model/expiry.h"
#include "model/history.h"
#include "model/partition.h"
#include "tests/sql/cluster.h"
#include "tests/sql/oracle.h"
#include "tests/unit/series.h"

#define T0     INT64_C(1700000000000000)
#define ROUNDS 30

enum { FRAME_AT, CHUNK_AT, MONTHS, TOKENS, TOKENS_LEFT, EVALUATE, EVALUATED };

static const struct stmt keeper_test_stmts[] = {
	[FRAME_AT] = {"keeper_test_frame_at", "z", /* $1 received */
		"INSERT INTO frame (received_at, node_id, datasource_id"
		"     , sequence, first_us, last_us, samples, crc, body)"
		" VALUES ($1, 1, 1, 1, 0, 0, 0, 0, '')"},
	[CHUNK_AT] = {"keeper_test_chunk_at", "i", /* $1 time */
		"INSERT INTO chunk (first_us, last_us, total, integral"
		"     , good_us, worst, variable_id, samples, good, body)"
		" VALUES ($1, $1, 0, 0, 0, 0, 1, 1, 1, '')"},
	[MONTHS] = {"keeper_test_months", "",
		"SELECT count(*) FROM pg_inherits"
		" WHERE inhparent = 'chunk'::regclass"},
	[TOKENS] = {"keeper_test_tokens", "",
		"INSERT INTO login_failure VALUES"
		" ('account:old', 3, now() - interval '2 days')"
		", ('account:new', 3, now())"},
	[TOKENS_LEFT] = {"keeper_test_tokens_left", "",
		"SELECT count(*) FROM login_failure"},
	[EVALUATE] = {"keeper_test_evaluate", "", /* all but the last two */
		"WITH n AS (INSERT INTO node (id, uuid, name, kind)"
		" OVERRIDING SYSTEM VALUE VALUES"
		" (1, gen_random_uuid(), 'sender', 'ingress'))"
		" INSERT INTO alarm_position (node_id, sequence)"
		" SELECT node_id, max(sequence) - 2 FROM frame GROUP BY 1"},
	[EVALUATED] = {"keeper_test_evaluated", "",
		"UPDATE alarm_position SET sequence = sequence + 2"},
	STMT_END,
};

static const struct stmt *const sets[] = {expiry_stmts, history_stmts,
	keeper_test_stmts, oracle_stmts, partition_stmts, NULL};

struct fixture {
	struct db *db;
	struct oracle oracle;
	struct series series;
	struct fault fault;
	char conf[300];
};

static void
check(enum rc rc, const struct fixture *fixture)
{
	if (rc != RC_OK)
		fail_msg("%s", fixture->fault.text);
}

static int
setup(void **state)
{
	static struct fixture fixture;
	static int serial;
	char name[32];
	FILE *conf;

	memset(&fixture, 0, sizeof(fixture));
	fixture.series.seed = (uint64_t)(17 + serial);
	fixture.db = cluster_open("fieldgrid_owner", sets);
	snprintf(name, sizeof(name), "kept %d", serial++);
	oracle_open(&fixture.oracle, fixture.db, name);
	snprintf(fixture.conf, sizeof(fixture.conf), "%s/keeper.conf",
		cluster_folder());
	conf = fopen(fixture.conf, "w");
	assert_non_null(conf);
	fprintf(conf,
		"[database]\nhost = %s\nsslmode = disable\n"
		"[keeper]\npack_after_s = 1\nsamples_max = 1000\n",
		cluster_folder());
	fclose(conf);
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	oracle_close(&fixture->oracle);
	db_close(fixture->db);
	return 0;
}

static void
wait_ms(int64_t ms)
{
	const struct timespec time = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* fieldgrid-keeper in a process of its own; "option" may be NULL. */
static pid_t
start_keeper(const struct fixture *fixture, const char *option)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves none */
	(void)!freopen("/dev/null", "w", stdout);
	(void)!freopen("/dev/null", "w", stderr);
	execl("./fieldgrid-keeper", "fieldgrid-keeper", "--config",
		fixture->conf, option, (char *)NULL);
	_exit(127);
}

static int
end_keeper(pid_t pid, int signal_number)
{
	int status;

	if (signal_number != 0)
		kill(pid, signal_number);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Frames with the next numbers; times spread over hours, some going back. */
static void
send_numbers(struct fixture *fixture, int64_t *next, size_t frames)
{
	struct sample samples[50];

	for (; frames > 0; frames--) {
		for (size_t i = 0; i < ARRAY_LENGTH(samples); i++, (*next)++)
			samples[i] = (struct sample){fixture->oracle.ids[2],
				T0 + *next * 1000 -
					(int64_t)(series_random(
							  &fixture->series) %
						  50000),
				0, {VALUE_INT, .integer = *next}};
		oracle_send(&fixture->oracle, samples, ARRAY_LENGTH(samples));
	}
}

struct tally {
	uint8_t *times;
	int64_t count;
};

static enum rc
count_number(void *context, const struct sample *sample, struct fault *fault)
{
	struct tally *tally = context;

	(void)fault;
	assert_in_range(sample->value.integer, 0, tally->count - 1);
	tally->times[sample->value.integer]++;
	return RC_OK;
}

/* Each number below "count" is in history once. */
static void
assert_numbers(struct fixture *fixture, int64_t count)
{
	struct arena *arena = arena_new();
	struct tally tally = {arena_alloc(arena, (size_t)count), count};
	const struct history_query query = {
		.variable_ids = &fixture->oracle.ids[2],
		.count = 1,
		.from_us = T0 - CLOCK_DAY_US,
		.to_us = T0 + CLOCK_DAY_US,
		.order = HISTORY_BY_VARIABLE};
	const struct history_visitor visitor = {count_number, &tally};

	check(history_read(
		      fixture->db, arena, &query, &visitor, &fixture->fault),
		fixture);
	for (int64_t i = 0; i < count; i++)
		if (tally.times[i] != 1)
			fail_msg("number %lld is there %d times", (long long)i,
				tally.times[i]);
	arena_free(arena);
}

static void
test_keeper_killed_while_packing_loses_nothing(void **state)
{
	struct fixture *fixture = *state;
	int64_t next = 0;

	for (int round = 0; round < ROUNDS; round++) {
		pid_t first;
		pid_t second;

		send_numbers(fixture, &next, 30);
		first = start_keeper(fixture, "--pack-now");
		second = start_keeper(fixture, "--pack-now");
		wait_ms((int64_t)(series_random(&fixture->series) % 60));
		assert_numbers(fixture, next);
		end_keeper(first, SIGKILL);
		assert_numbers(fixture, next);
		end_keeper(second, round % 3 == 0 ? SIGKILL : 0);
		assert_numbers(fixture, next);
	}
	assert_int_equal(end_keeper(start_keeper(fixture, "--pack-now"), 0), 0);
	assert_int_equal(
		oracle_count(&fixture->oracle, ORACLE_COUNT_FRAMES), 0);
	assert_int_equal(
		oracle_count(&fixture->oracle, ORACLE_COUNT_SAMPLES), next);
	assert_numbers(fixture, next);
}

static void
run(struct fixture *fixture, int stmt)
{
	check(db_exec(fixture->db, &keeper_test_stmts[stmt], NO_PARAMS, NULL,
		      &fixture->fault),
		fixture);
}

static void
test_keeper_leaves_frames_that_are_to_be_evaluated(void **state)
{
	struct fixture *fixture = *state;
	int64_t next = 0;

	send_numbers(fixture, &next, 10);
	run(fixture, EVALUATE);
	assert_int_equal(end_keeper(start_keeper(fixture, "--pack-now"), 0), 0);
	assert_int_equal(
		oracle_count(&fixture->oracle, ORACLE_COUNT_FRAMES), 2);
	run(fixture, EVALUATED);
	assert_int_equal(end_keeper(start_keeper(fixture, "--pack-now"), 0), 0);
	assert_int_equal(
		oracle_count(&fixture->oracle, ORACLE_COUNT_FRAMES), 0);
	assert_numbers(fixture, next);
}

/* Until the keeper packed all frames; false after 20 s. */
static bool
wait_until_packed(struct fixture *fixture)
{
	for (int i = 0; i < 200; i++) {
		if (oracle_count(&fixture->oracle, ORACLE_COUNT_FRAMES) == 0)
			return true;
		wait_ms(100);
	}
	return false;
}

static void
test_keeper_goes_on_when_the_database_is_back(void **state)
{
	struct fixture *fixture = *state;
	pid_t keeper = start_keeper(fixture, NULL);
	pid_t standby = start_keeper(fixture, NULL);
	int64_t next = 0;

	send_numbers(fixture, &next, 5);
	assert_true(wait_until_packed(fixture));
	cluster_kill();
	wait_ms(300);
	cluster_up();
	wait_ms(600); /* this test's own connection waits as well */
	db_close(fixture->db);
	fixture->db = cluster_open("fieldgrid_owner", sets);
	fixture->oracle.db = fixture->db;
	send_numbers(fixture, &next, 5);
	assert_true(wait_until_packed(fixture));
	assert_numbers(fixture, next);
	assert_int_equal(end_keeper(keeper, SIGTERM), 0);
	assert_int_equal(end_keeper(standby, SIGTERM), 0);
}

static int64_t
count_rows(struct fixture *fixture, int stmt)
{
	struct rows *rows;

	check(db_find(fixture->db, fixture->oracle.arena,
		      &keeper_test_stmts[stmt], NO_PARAMS, &rows,
		      &fixture->fault),
		fixture);
	return rows_int(rows, 0, 0);
}

static void
test_partition_sweep_drops_only_empty_and_ended_ones(void **state)
{
	struct fixture *fixture = *state;
	struct arena *arena = fixture->oracle.arena;
	struct oracle *oracle = &fixture->oracle;
	int64_t now_us = T0 - T0 % CLOCK_HOUR_US;
	int64_t before = oracle_count(oracle, ORACLE_COUNT_PARTITIONS);
	size_t count;

	check(partition_prepare(fixture->db, arena, now_us, CLOCK_HOUR_US, 3,
		      &count, &fixture->fault),
		fixture);
	assert_int_equal(count, 3);
	check(partition_prepare(fixture->db, arena, now_us, CLOCK_HOUR_US, 3,
		      &count, &fixture->fault),
		fixture);
	assert_int_equal(count, 0);
	check(db_exec(fixture->db, &keeper_test_stmts[FRAME_AT],
		      PARAMS(P_TIME(now_us + CLOCK_HOUR_US)), NULL,
		      &fixture->fault),
		fixture);
	check(partition_sweep(fixture->db, arena,
		      now_us + 2 * CLOCK_HOUR_US + 1, &count, &fixture->fault),
		fixture);
	assert_int_equal(count, 1);
	assert_int_equal(
		oracle_count(oracle, ORACLE_COUNT_PARTITIONS), before + 2);
	check(db_script(fixture->db, "DELETE FROM frame", &fixture->fault),
		fixture);
	check(partition_sweep(fixture->db, arena, now_us + CLOCK_DAY_US, &count,
		      &fixture->fault),
		fixture);
	assert_int_equal(oracle_count(oracle, ORACLE_COUNT_PARTITIONS), before);
}

/* Frames that wait in the default partition keep its hour from being made. */
static void
test_partition_prepare_leaves_hours_that_have_frames(void **state)
{
	struct fixture *fixture = *state;
	int64_t now_us = T0 - T0 % CLOCK_HOUR_US;
	size_t count;

	check(db_exec(fixture->db, &keeper_test_stmts[FRAME_AT],
		      PARAMS(P_TIME(now_us + 1)), NULL, &fixture->fault),
		fixture);
	check(partition_prepare(fixture->db, fixture->oracle.arena, now_us,
		      CLOCK_HOUR_US, 3, &count, &fixture->fault),
		fixture);
	assert_int_equal(count, 2);
	check(db_script(fixture->db, "DELETE FROM frame", &fixture->fault),
		fixture);
	check(partition_sweep(fixture->db, fixture->oracle.arena,
		      now_us + CLOCK_DAY_US, &count, &fixture->fault),
		fixture);
	assert_int_equal(count, 2);
}

static void
test_partition_retain_drops_old_months(void **state)
{
	struct fixture *fixture = *state;
	int64_t may_us = INT64_C(1399000000000000); /* 2014-05-02 */
	int64_t months = count_rows(fixture, MONTHS);
	size_t dropped;

	check(partition_open_month(fixture->db, may_us, &fixture->fault),
		fixture);
	check(partition_open_month(fixture->db, partition_next_month(may_us),
		      &fixture->fault),
		fixture);
	check(db_exec(fixture->db, &keeper_test_stmts[CHUNK_AT],
		      PARAMS(P_INT(may_us)), NULL, &fixture->fault),
		fixture);
	assert_int_equal(count_rows(fixture, MONTHS), months + 2);
	check(partition_retain(fixture->db, fixture->oracle.arena,
		      partition_next_month(may_us) + CLOCK_DAY_US, &dropped,
		      &fixture->fault),
		fixture);
	assert_int_equal(dropped, 1);
	check(partition_retain(fixture->db, fixture->oracle.arena,
		      partition_next_month(may_us) + 31 * CLOCK_DAY_US,
		      &dropped, &fixture->fault),
		fixture);
	assert_int_equal(dropped, 1);
	assert_int_equal(count_rows(fixture, MONTHS), months);
}

static void
test_partition_months_begin_and_end_where_they_should(void **state)
{
	int64_t december_us = INT64_C(1764547200000000); /* 2025-12-01 */
	int64_t january_us = INT64_C(1767225600000000);  /* 2026-01-01 */

	(void)state;
	assert_true(partition_month(december_us) == december_us);
	assert_true(partition_month(january_us - 1) == december_us);
	assert_true(partition_next_month(december_us) == january_us);
	assert_true(partition_next_month(january_us - 1) == january_us);
	assert_true(partition_month(-1) == INT64_C(-2678400000000));
	assert_true(partition_next_month(-1) == 0);
}

static void
test_expiry_prunes_what_is_over(void **state)
{
	struct fixture *fixture = *state;
	int64_t deleted;

	check(db_exec(fixture->db, &keeper_test_stmts[TOKENS], NO_PARAMS, NULL,
		      &fixture->fault),
		fixture);
	check(expiry_prune(fixture->db, &deleted, &fixture->fault), fixture);
	assert_int_equal(deleted, 1);
	assert_int_equal(count_rows(fixture, TOKENS_LEFT), 1);
	/* With the rights of the keeper's own role, and all other tasks. */
	assert_int_equal(end_keeper(start_keeper(fixture, "--once"), 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_partition_months_begin_and_end_where_they_should),
		cmocka_unit_test_setup_teardown(
			test_partition_sweep_drops_only_empty_and_ended_ones,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_partition_prepare_leaves_hours_that_have_frames,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_partition_retain_drops_old_months, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_keeper_killed_while_packing_loses_nothing, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_keeper_leaves_frames_that_are_to_be_evaluated,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_expiry_prunes_what_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_keeper_goes_on_when_the_database_is_back, setup,
			teardown),
	};

	cluster_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
