/* db: typed values, faults and reconnects, on a real server.
 * FIELDGRID_TEST_HOST is the socket folder of a scratch cluster; without it
 * the test is skipped (exit 77). */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/db.h"

static struct db_conf conf = {.port = 5432,
	.name = "postgres",
	.user = "postgres",
	.password_file = "",
	.sslmode = "disable",
	.statement_timeout_ms = 300};

static struct db *
open_db(const struct stmt *const *sets)
{
	struct db *db;
	struct fault fault;

	assert_int_equal(db_open(&conf, "test", sets, &db, &fault), RC_OK);
	return db;
}

static void
test_db_values_come_back_as_they_went(void **state)
{
	static const struct stmt echo[] = {
		{"db_echo", "inodtbuz",
			"SELECT $1, $2, $3, $4, $5, $6, $7, $8,"
			" ARRAY['a', 'b c', '']"},
		STMT_END};
	const struct stmt *const sets[] = {echo, NULL};
	struct db *db = open_db(sets);
	struct arena *arena = arena_new();
	struct rows *rows;
	struct fault fault;
	const char **texts;

	(void)state;
	assert_int_equal(
		db_query(db, arena, &echo[0],
			PARAMS(P_INT(INT64_MIN), P_SHORT(-7), P_BOOL(1),
				P_NUM(-0.0), P_TEXT("\xc3\xa4'\\"),
				P_BYTES("\0\xff", 2),
				P_UUID("0123456789abcdef"),
				P_TIME(1700000000123456)),
			&rows, &fault),
		RC_OK);
	assert_int_equal(rows_int(rows, 0, 0), INT64_MIN);
	assert_int_equal(rows_int(rows, 0, 1), -7);
	assert_true(rows_bool(rows, 0, 2));
	assert_true(signbit(rows_num(rows, 0, 3)));
	assert_string_equal(rows_text(rows, 0, 4), "\xc3\xa4'\\");
	assert_memory_equal(rows_bytes(rows, 0, 5).data, "\0\xff", 2);
	assert_memory_equal(rows_uuid(rows, 0, 6), "0123456789abcdef", 16);
	assert_int_equal(rows_time(rows, 0, 7), 1700000000123456);
	texts = rows_texts(rows, arena, 0, 8);
	assert_string_equal(texts[1], "b c");
	assert_string_equal(texts[2], "");
	assert_null(texts[3]);
	assert_int_equal(
		db_query(db, arena, &echo[0],
			PARAMS(P_NULL('i'), P_NULL('n'), P_NULL('o'),
				P_NULL('d'), P_TEXT(NULL), P_BYTES(NULL, 0),
				P_UUID(NULL), P_TIME(CLOCK_NEVER)),
			&rows, &fault),
		RC_OK);
	for (int column = 0; column < 8; column++)
		assert_true(rows_null(rows, 0, column));
	assert_int_equal(rows_time(rows, 0, 7), CLOCK_NEVER);
	arena_free(arena);
	db_close(db);
}

static void
test_db_arrays_come_back_as_they_went(void **state)
{
	static const struct stmt arrays[] = {
		{"db_arrays", "INDTB",
			"SELECT a, b, c, d, e FROM unnest($1, $2, $3, $4, $5)"
			" AS t (a, b, c, d, e)"},
		STMT_END};
	const struct stmt *const sets[] = {arrays, NULL};
	const struct bytes blobs[] = {{"x", 1}, {NULL, 0}};
	struct db *db = open_db(sets);
	struct arena *arena = arena_new();
	struct rows *rows;
	struct fault fault;

	(void)state;
	assert_int_equal(
		db_query(db, arena, &arrays[0],
			PARAMS(P_INTS(((int64_t[]){1, -2}), 2),
				P_SHORTS(((int32_t[]){3, -4}), 2),
				P_NUMS(((double[]){0.5, -1e300}), 2),
				P_TEXTS(((const char *[]){"a", NULL}), 2),
				P_BLOBS(blobs, 2)),
			&rows, &fault),
		RC_OK);
	assert_int_equal(rows_count(rows), 2);
	assert_int_equal(rows_int(rows, 1, 0), -2);
	assert_int_equal(rows_int(rows, 1, 1), -4);
	assert_true(rows_num(rows, 1, 2) == -1e300);
	assert_string_equal(rows_text(rows, 0, 3), "a");
	assert_null(rows_text(rows, 1, 3));
	assert_memory_equal(rows_bytes(rows, 0, 4).data, "x", 1);
	assert_null(rows_bytes(rows, 1, 4).data);
	assert_int_equal(db_query(db, arena, &arrays[0],
				 PARAMS(P_INTS(NULL, 0), P_SHORTS(NULL, 0),
					 P_NUMS(NULL, 0), P_TEXTS(NULL, 0),
					 P_BLOBS(NULL, 0)),
				 &rows, &fault),
		RC_OK);
	assert_int_equal(rows_count(rows), 0);
	arena_free(arena);
	db_close(db);
}

static void
test_db_names_each_fault(void **state)
{
	static const struct stmt few[] = {
		{"db_sleep", "", "SELECT pg_sleep(5)"},
		{"db_nothing", "", "SELECT 1 WHERE false"},
		{"db_divide", "n", "SELECT 1 / $1"}, STMT_END};
	const struct stmt *const sets[] = {few, NULL};
	struct db *db = open_db(sets);
	struct arena *arena = arena_new();
	struct rows *rows;
	struct fault fault;

	(void)state;
	assert_int_equal(db_query(db, arena, &few[0], NO_PARAMS, &rows, &fault),
		RC_UNAVAILABLE);
	assert_int_equal(db_find(db, arena, &few[1], NO_PARAMS, &rows, &fault),
		RC_NOT_FOUND);
	assert_int_equal(
		db_query(db, arena, &few[2], PARAMS(P_SHORT(0)), &rows, &fault),
		RC_DB);
	assert_int_equal(
		db_query(db, arena, &few[2], NO_PARAMS, &rows, &fault), RC_BUG);
	assert_int_equal(
		db_query(db, arena, &few[2], PARAMS(P_INT(1)), &rows, &fault),
		RC_BUG);
	assert_int_equal(
		db_query(db, arena, &few[2], PARAMS(P_SHORT(1)), &rows, &fault),
		RC_OK);
	arena_free(arena);
	db_close(db);
}

static void
test_db_comes_back_after_losing_its_connection(void **state)
{
	static const struct stmt few[] = {
		{"db_kill", "",
			"SELECT pg_terminate_backend(pg_backend_pid())"},
		{"db_one", "", "SELECT 1"}, STMT_END};
	const struct stmt *const sets[] = {few, NULL};
	struct db *db = open_db(sets);
	struct fault fault;
	enum rc rc = RC_UNAVAILABLE;

	(void)state;
	assert_int_equal(db_begin(db, DB_READ_COMMITTED, &fault), RC_OK);
	assert_int_equal(
		db_exec(db, &few[0], NO_PARAMS, NULL, &fault), RC_UNAVAILABLE);
	assert_false(db_in_transaction(db));
	for (int64_t end = clock_steady_us() + 5 * CLOCK_SECOND_US;
		rc == RC_UNAVAILABLE && clock_steady_us() < end;)
		rc = db_exec(db, &few[1], NO_PARAMS, NULL, &fault);
	assert_int_equal(rc, RC_OK);
	db_close(db);
}

/* Another connection ends ours while it is idle, as a restart would. */
static void
test_db_does_not_use_a_connection_that_has_ended(void **state)
{
	static const struct stmt few[] = {
		{"db_pid", "", "SELECT pg_backend_pid()"},
		{"db_end", "n", "SELECT pg_terminate_backend($1)"}, STMT_END};
	const struct stmt *const sets[] = {few, NULL};
	struct arena *arena = arena_new();
	struct db *db = open_db(sets);
	struct db *other = open_db(sets);
	struct rows *rows;
	struct fault fault;

	(void)state;
	assert_int_equal(
		db_find(db, arena, &few[0], NO_PARAMS, &rows, &fault), RC_OK);
	assert_int_equal(
		db_exec(other, &few[1], PARAMS(P_SHORT(rows_int(rows, 0, 0))),
			NULL, &fault),
		RC_OK);
	usleep(200000);
	assert_int_equal(
		db_find(db, arena, &few[0], NO_PARAMS, &rows, &fault), RC_OK);
	db_close(other);
	db_close(db);
	arena_free(arena);
}

static void
test_db_commit_tells_of_a_failed_transaction(void **state)
{
	static const struct stmt few[] = {
		{"db_divide", "n", "SELECT 1 / $1"}, STMT_END};
	const struct stmt *const sets[] = {few, NULL};
	struct db *db = open_db(sets);
	struct fault fault;

	(void)state;
	assert_int_equal(db_begin(db, DB_READ_COMMITTED, &fault), RC_OK);
	assert_int_equal(
		db_exec(db, &few[0], PARAMS(P_SHORT(0)), NULL, &fault), RC_DB);
	assert_int_equal(db_commit(db, &fault), RC_DB);
	assert_false(db_in_transaction(db));
	db_close(db);
}

/* An inner transaction undoes only its own work; the outer one decides. */
static void
test_db_transactions_nest(void **state)
{
	static const struct stmt few[] = {
		{"db_lock", "n", "SELECT pg_advisory_xact_lock($1)"},
		{"db_held", "",
			"SELECT count(*) FROM pg_locks WHERE pid ="
			" pg_backend_pid() AND locktype = 'advisory'"},
		{"db_divide", "n", "SELECT 1 / $1"}, STMT_END};
	const struct stmt *const sets[] = {few, NULL};
	struct db *db = open_db(sets);
	struct arena *arena = arena_new();
	struct rows *rows;
	struct fault fault;

	(void)state;
	assert_int_equal(db_begin(db, DB_READ_COMMITTED, &fault), RC_OK);
	assert_int_equal(db_begin(db, DB_READ_COMMITTED, &fault), RC_OK);
	assert_int_equal(
		db_exec(db, &few[0], PARAMS(P_SHORT(1)), NULL, &fault), RC_OK);
	assert_int_equal(db_commit(db, &fault), RC_OK);
	assert_true(db_in_transaction(db));
	assert_int_equal(db_begin(db, DB_SERIALIZABLE, &fault), RC_BUG);
	assert_int_equal(db_begin(db, DB_READ_COMMITTED, &fault), RC_OK);
	assert_int_equal(
		db_exec(db, &few[2], PARAMS(P_SHORT(0)), NULL, &fault), RC_DB);
	db_rollback(db);
	assert_int_equal(
		db_find(db, arena, &few[1], NO_PARAMS, &rows, &fault), RC_OK);
	assert_int_equal(rows_int(rows, 0, 0), 1);
	assert_int_equal(db_commit(db, &fault), RC_OK);
	assert_false(db_in_transaction(db));
	assert_int_equal(
		db_find(db, arena, &few[1], NO_PARAMS, &rows, &fault), RC_OK);
	assert_int_equal(rows_int(rows, 0, 0), 0);
	arena_free(arena);
	db_close(db);
}

static void
test_db_refuses_a_statement_with_a_typo_at_start(void **state)
{
	static const struct stmt wrong[] = {
		{"db_wrong", "", "SELEC 1"}, STMT_END};
	const struct stmt *const sets[] = {wrong, NULL};
	struct db *db;
	struct fault fault;

	(void)state;
	assert_int_equal(db_open(&conf, "test", sets, &db, &fault), RC_DB);
	assert_non_null(strstr(fault.text, "db_wrong"));
}

static void
test_db_hears_notifications(void **state)
{
	struct db *db = open_db(NULL);
	struct arena *arena = arena_new();
	struct fault fault;
	char *payload;

	(void)state;
	assert_int_equal(db_listen(db, "db test", &fault), RC_OK);
	assert_int_equal(
		db_script(db, "NOTIFY \"db test\", 'hello'", &fault), RC_OK);
	assert_int_equal(db_wait(db, arena, 1000, &payload, &fault), RC_OK);
	assert_string_equal(payload, "hello");
	assert_int_equal(db_wait(db, arena, 10, &payload, &fault), RC_OK);
	assert_null(payload);
	arena_free(arena);
	db_close(db);
}

/* As two services: one changes something, the other has kept it. */
static void
test_db_tells_that_what_was_kept_may_be_old(void **state)
{
	struct db *keeper = open_db(NULL);
	struct db *changer = open_db(NULL);
	struct fault fault;

	(void)state;
	assert_int_equal(db_listen(keeper, "kept", &fault), RC_OK);
	assert_true(db_notified(keeper));
	assert_false(db_notified(keeper));
	assert_int_equal(db_script(changer, "NOTIFY kept", &fault), RC_OK);
	usleep(100000);
	assert_true(db_notified(keeper));
	assert_false(db_notified(keeper));
	/* also when it came along with the answer to something else */
	assert_int_equal(db_script(changer, "NOTIFY kept", &fault), RC_OK);
	assert_int_equal(
		db_script(keeper, "SELECT pg_sleep(0.1)", &fault), RC_OK);
	assert_true(db_notified(keeper));
	assert_int_equal(db_script(changer,
				 "SELECT pg_terminate_backend(pid)"
				 " FROM pg_stat_activity"
				 " WHERE query LIKE '%pg_sleep(0.1)%'"
				 " AND pid <> pg_backend_pid()",
				 &fault),
		RC_OK);
	usleep(100000);
	assert_true(db_notified(keeper));
	db_close(changer);
	db_close(keeper);
}

static void
test_db_without_a_server_is_unavailable_at_once(void **state)
{
	struct db_conf nowhere = conf;
	struct db *db;
	struct fault fault;
	int64_t started_us = clock_steady_us();

	(void)state;
	nowhere.host = "/nonexistent";
	assert_int_equal(db_open(&nowhere, "test", NULL, &db, &fault), RC_OK);
	assert_int_equal(db_script(db, "SELECT 1", &fault), RC_UNAVAILABLE);
	assert_true(clock_steady_us() - started_us < CLOCK_SECOND_US);
	db_close(db);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_db_values_come_back_as_they_went),
		cmocka_unit_test(test_db_arrays_come_back_as_they_went),
		cmocka_unit_test(test_db_names_each_fault),
		cmocka_unit_test(
			test_db_comes_back_after_losing_its_connection),
		cmocka_unit_test(
			test_db_does_not_use_a_connection_that_has_ended),
		cmocka_unit_test(test_db_commit_tells_of_a_failed_transaction),
		cmocka_unit_test(test_db_transactions_nest),
		cmocka_unit_test(
			test_db_refuses_a_statement_with_a_typo_at_start),
		cmocka_unit_test(test_db_hears_notifications),
		cmocka_unit_test(test_db_tells_that_what_was_kept_may_be_old),
		cmocka_unit_test(
			test_db_without_a_server_is_unavailable_at_once),
	};

	conf.host = getenv("FIELDGRID_TEST_HOST");
	if (conf.host == NULL)
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
