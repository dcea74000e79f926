/* refusals: what outsiders can cause at will stays small in the audit. */

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/refusals.h"
#include "lib/clock.h"
#include "model/audit.h"
#include "model/caller.h"
#include "tests/sql/cluster.h"
#include "tests/unit/request.h"

#define WINDOW_US (CLOCK_SECOND_US / 5)

enum { STMT_COUNT, STMT_NEWEST };

static const struct stmt test_stmts[] = {
	[STMT_COUNT] = {"test_count", "",
		"SELECT count(*), coalesce(sum(repeats), 0)"
		" FROM audit_entry"},
	[STMT_NEWEST] = {"test_newest", "",
		"SELECT action, object, actor, address, result, repeats"
		"     , new_value::text, request, actor_kind"
		"  FROM audit_entry ORDER BY id DESC LIMIT 1"},
	STMT_END,
};

static const struct stmt *const sets[] = {audit_stmts, NULL};
static const struct stmt *const owner_sets[] = {test_stmts, NULL};
static const struct route route = {
	METHOD_POST, "/api/v1/thing", NULL, NEED_API, 0, NULL};

static struct {
	struct arena *arena;
	struct db *owner;
	struct db *api;
	struct refusals *refusals;
	struct fault fault;
	int64_t rows; /* since the test began */
	int64_t repeats;
} grid;

static void
good(enum rc rc)
{
	if (rc != RC_OK)
		fail_msg("%s: %s", fault_name(rc), grid.fault.text);
}

static void
count(int64_t *rows, int64_t *repeats)
{
	struct rows *found;

	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_COUNT], NO_PARAMS,
		&found, &grid.fault));
	*rows = rows_int(found, 0, 0);
	*repeats = rows_int(found, 0, 1);
}

static int
set_up_all(void **state)
{
	(void)state;
	cluster_start();
	grid.arena = arena_new();
	grid.owner = cluster_open("fieldgrid_owner", owner_sets);
	grid.api = cluster_open("fieldgrid_api", sets);
	return 0;
}

static int
tear_down_all(void **state)
{
	(void)state;
	db_close(grid.api);
	db_close(grid.owner);
	arena_free(grid.arena);
	return 0;
}

static int
set_up(void **state)
{
	(void)state;
	grid.refusals = refusals_new(WINDOW_US);
	count(&grid.rows, &grid.repeats);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	refusals_free(grid.refusals);
	return 0;
}

static void
assert_added(int64_t rows, int64_t repeats)
{
	int64_t rows_now;
	int64_t repeats_now;

	count(&rows_now, &repeats_now);
	assert_int_equal(rows_now - grid.rows, rows);
	assert_int_equal(repeats_now - grid.repeats, repeats);
}

static void
make(struct req *req, const char *address, const char *name)
{
	struct caller *caller = arena_alloc(grid.arena, sizeof(*caller));

	request_make(
		req, grid.arena, METHOD_POST, "/api/v1/thing", "", "", NULL);
	*caller = (struct caller){
		.kind = CALLER_USER, .name = name, .subject = "id"};
	req->caller = caller;
	req->db = grid.api;
	req->address = address;
	snprintf(req->id, sizeof(req->id), "00112233aabbccdd");
}

static void
refuse(const char *address, const char *name, int status, const char *code)
{
	struct resp resp = {.status = status};
	struct req req;

	make(&req, address, name);
	fault_tell(&req.fault, RC_DENIED, code, NULL, "no");
	refusals_note(grid.refusals, &req, &resp, &route);
}

static void
test_refusals_are_told_at_once(void **state)
{
	struct rows *rows;

	(void)state;
	refuse("192.0.2.1", "alice", 403, "MissingRight");
	assert_added(1, 1);
	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_NEWEST],
		NO_PARAMS, &rows, &grid.fault));
	assert_string_equal(rows_text(rows, 0, 0), "access.refuse");
	assert_string_equal(rows_text(rows, 0, 1), "route:POST /api/v1/thing");
	assert_string_equal(rows_text(rows, 0, 2), "alice");
	assert_string_equal(rows_text(rows, 0, 3), "192.0.2.1");
	assert_string_equal(rows_text(rows, 0, 4), "refused");
	assert_string_equal(rows_text(rows, 0, 6),
		"{\"status\":403,\"code\":\"MissingRight\"}");
	assert_string_equal(rows_text(rows, 0, 7), "00112233aabbccdd");
	assert_string_equal(rows_text(rows, 0, 8), "user");
	refuse("192.0.2.1", "alice", 401, "MissingRight");
	refuse("192.0.2.1", "alice", 403, "OtherRight");
	refuse("192.0.2.2", "alice", 403, "MissingRight");
	refuse("192.0.2.1", "bob", 403, "MissingRight");
	assert_added(5, 5);
	refuse("192.0.2.1", "alice", 404, "NotFound");
	refuse("192.0.2.1", "alice", 200, "Fine");
	assert_added(5, 5);
}

static void
test_refusals_that_are_equal_become_a_count(void **state)
{
	struct rows *rows;

	(void)state;
	for (int i = 0; i < 1000; i++)
		refuse("192.0.2.1", "alice", 403, "MissingRight");
	refusals_flush(grid.refusals, grid.api);
	assert_added(1, 1);
	usleep(WINDOW_US + 1000);
	refusals_flush(grid.refusals, grid.api);
	assert_added(2, 1000);
	good(db_find(grid.owner, grid.arena, &test_stmts[STMT_NEWEST],
		NO_PARAMS, &rows, &grid.fault));
	assert_string_equal(rows_text(rows, 0, 2), "alice");
	assert_int_equal(rows_int(rows, 0, 5), 999);
	/* The next one is told at once again. */
	refuse("192.0.2.1", "alice", 403, "MissingRight");
	assert_added(3, 1001);
}

static void
test_refusals_of_a_flood_are_bounded(void **state)
{
	char address[32];

	(void)state;
	refusals_free(grid.refusals);
	grid.refusals = refusals_new(REFUSALS_WINDOW_US);
	for (int i = 0; i < 5000; i++) {
		snprintf(address, sizeof(address), "10.0.%d.%d", i / 250,
			i % 250);
		refuse(address, "", 401, "Unauthenticated");
	}
	refusals_flush_all(grid.refusals, grid.api);
	assert_added(REFUSALS_MAX + 1, 5000);
}

static void
test_refusals_in_the_audit_already_are_left_alone(void **state)
{
	const struct audit what = {.action = "login.refused",
		.object = "user:alice",
		.result = AUDIT_REFUSED};
	struct resp resp = {.status = 401};
	struct req req;

	(void)state;
	make(&req, "192.0.2.1", "");
	good(audit_write(&req, &what));
	refusals_note(grid.refusals, &req, &resp, &route);
	refusals_flush_all(grid.refusals, grid.api);
	assert_added(1, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_refusals_are_told_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_refusals_that_are_equal_become_a_count, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_refusals_of_a_flood_are_bounded, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			test_refusals_in_the_audit_already_are_left_alone,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
