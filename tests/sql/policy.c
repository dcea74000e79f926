/* policy: groups, roles, rules and what they let a caller do, on a real server
 * with the rights that the services really have. */

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "model/client.h"
#include "model/datasource.h"
#include "model/group.h"
#include "model/policy_cache.h"
#include "model/policy_explain.h"
#include "model/policy_rule.h"
#include "model/role.h"
#include "tests/sql/cluster.h"

enum { ADD_ACCOUNT, DROP_ACCOUNT, ADD_NODE, COUNT_RULES, CIRCLE, TOUCH };

static const struct stmt test_stmts[] = {
	[ADD_ACCOUNT] = {"test_add_account", "t",
		"INSERT INTO account (uuid, name)"
		" VALUES (gen_random_uuid(), $1) RETURNING id"},
	[DROP_ACCOUNT] = {"test_drop_account", "n",
		"DELETE FROM account WHERE id = $1"},
	[ADD_NODE] = {"test_add_node", "t",
		"INSERT INTO node (uuid, name, kind)"
		" VALUES (gen_random_uuid(), $1, 'ingress') RETURNING id"},
	[COUNT_RULES] = {"test_count_rules", "tn",
		"SELECT count(*) FROM policy_rule"
		" WHERE subject_kind = $1 AND subject_id = $2"},
	[CIRCLE] = {"test_circle", "nn",
		"INSERT INTO group_nesting (group_id, member_id)"
		" VALUES ($1, $2)"},
	[TOUCH] = {"test_touch", "n", "DELETE FROM policy_rule WHERE id = $1"},
	STMT_END,
};

static const struct stmt *const sets[] = {client_stmts, datasource_stmts,
	group_stmts, policy_stmts, policy_explain_stmts, policy_rule_stmts,
	policy_subject_stmts, role_stmts, test_stmts, NULL};

static struct {
	struct arena *arena;
	struct db *controller;
	struct db *owner;
	struct db *api;
	struct datasource north;
	struct datasource south;
	struct fault fault;
} grid;

static void
good(enum rc rc)
{
	if (rc != RC_OK)
		fail_msg("%s: %s", fault_name(rc), grid.fault.text);
}

static int
set_up(void **state)
{
	const uint8_t north[UUID_BYTES] = {1};
	const uint8_t south[UUID_BYTES] = {2};

	(void)state;
	cluster_start();
	grid.arena = arena_new();
	grid.controller = cluster_open("fieldgrid_controller", sets);
	grid.owner = cluster_open("fieldgrid_owner", sets);
	grid.api = cluster_open("fieldgrid_api", sets);
	good(datasource_create(grid.owner, grid.arena, north, "North", "",
		&grid.north, &grid.fault));
	good(datasource_create(grid.owner, grid.arena, south, "South", "",
		&grid.south, &grid.fault));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	db_close(grid.api);
	db_close(grid.owner);
	db_close(grid.controller);
	arena_free(grid.arena);
	return 0;
}

/* --- things ----------------------------------------------------------------
 */

static int64_t
add(int statement, const char *name)
{
	struct rows *rows;

	good(db_find(grid.owner, grid.arena, &test_stmts[statement],
		PARAMS(P_TEXT(name)), &rows, &grid.fault));
	return rows_int(rows, 0, 0);
}

static struct caller
add_user(const char *name)
{
	return (struct caller){.kind = CALLER_USER,
		.id = add(ADD_ACCOUNT, name),
		.name = name,
		.scopes = "",
		.csrf = "x"};
}

static struct group
add_group(const char *name)
{
	const struct group wanted = {.name = name, .description = ""};
	struct group made;

	good(group_create(
		grid.controller, grid.arena, &wanted, &made, &grid.fault));
	return made;
}

static struct role
add_role(const char *name)
{
	const struct role wanted = {.name = name, .description = ""};
	struct role made;

	good(role_create(
		grid.controller, grid.arena, &wanted, &made, &grid.fault));
	return made;
}

static const char *
add_rule(const char *kind, int64_t id, int64_t datasource_id,
	const char *pattern, uint32_t actions, bool deny)
{
	const struct policy_rule rule = {
		.subject = {.kind = kind, .id = id},
		.datasource_id = datasource_id,
		.pattern = pattern,
		.actions = actions,
		.deny = deny,
	};
	const char *uuid = NULL;

	good(policy_rule_create(
		grid.controller, grid.arena, &rule, &uuid, &grid.fault));
	return uuid;
}

static void
give(const struct role *role, const char *kind, int64_t id,
	int64_t datasource_id)
{
	struct role_grant grant = {.subject = {.kind = kind, .id = id},
		.datasource_id = datasource_id};

	good(role_give(grid.controller, grid.arena, role, &grant, &grid.fault));
}

static bool
may_read(const struct caller *caller, const struct datasource *datasource,
	const char *name)
{
	const struct policy *policy;

	good(policy_load(grid.api, grid.arena, caller, &policy, &grid.fault));
	return policy_allows(policy, datasource->id, name, POLICY_READ_VALUES);
}

static int64_t
count_rules(const char *kind, int64_t id)
{
	struct rows *rows;

	good(db_find(grid.owner, grid.arena, &test_stmts[COUNT_RULES],
		PARAMS(P_TEXT(kind), P_SHORT(id)), &rows, &grid.fault));
	return rows_int(rows, 0, 0);
}

static int64_t
version(void)
{
	int64_t number = 0;

	good(policy_version(grid.api, grid.arena, &number, &grid.fault));
	return number;
}

/* --- groups ----------------------------------------------------------------
 */

static void
test_policy_comes_by_nested_groups(void **state)
{
	struct caller user = add_user("nested");
	struct group inner = add_group("inner");
	struct group middle = add_group("middle");
	struct group outer = add_group("outer");
	struct policy_names names;

	(void)state;
	good(group_add_user(grid.controller, inner.id, user.id, &grid.fault));
	good(group_add_group(
		grid.controller, grid.arena, middle.id, inner.id, &grid.fault));
	good(group_add_group(
		grid.controller, grid.arena, outer.id, middle.id, &grid.fault));
	assert_false(may_read(&user, &grid.north, "x"));
	add_rule("group", outer.id, 0, "*", POLICY_READ_VALUES, false);
	assert_true(may_read(&user, &grid.north, "x"));
	add_rule("group", middle.id, grid.north.id, "secret/*",
		POLICY_READ_VALUES, true);
	assert_false(may_read(&user, &grid.north, "secret/x"));
	assert_true(may_read(&user, &grid.south, "secret/x"));
	good(policy_names(grid.api, grid.arena, CALLER_USER, user.id, &names,
		&grid.fault));
	assert_string_equal(names.groups[0], "inner");
	assert_string_equal(names.groups[2], "outer");
	assert_null(names.groups[3]);
	good(group_delete(grid.controller, middle.id, &grid.fault));
	assert_false(may_read(&user, &grid.north, "x"));
}

static void
test_group_refuses_circles_at_both_doors(void **state)
{
	struct group a = add_group("circle a");
	struct group b = add_group("circle b");

	(void)state;
	good(group_add_group(
		grid.controller, grid.arena, a.id, b.id, &grid.fault));
	assert_int_equal(group_add_group(grid.controller, grid.arena, b.id,
				 a.id, &grid.fault),
		RC_CONFLICT);
	assert_int_equal(db_exec(grid.owner, &test_stmts[CIRCLE],
				 PARAMS(P_SHORT(b.id), P_SHORT(a.id)), NULL,
				 &grid.fault),
		RC_DB);
}

static void
test_group_requires_a_factor_of_nested_members(void **state)
{
	struct caller user = add_user("factor");
	struct group inner = add_group("factor inner");
	struct group outer = add_group("factor outer");
	bool required;

	(void)state;
	good(group_add_user(grid.controller, inner.id, user.id, &grid.fault));
	good(group_add_group(
		grid.controller, grid.arena, outer.id, inner.id, &grid.fault));
	good(group_requires_factor(
		grid.api, grid.arena, user.id, &required, &grid.fault));
	assert_false(required);
	outer.require_second_factor = true;
	good(group_change(grid.controller, &outer, &grid.fault));
	good(group_requires_factor(
		grid.api, grid.arena, user.id, &required, &grid.fault));
	assert_true(required);
}

/* --- roles -----------------------------------------------------------------
 */

static void
test_role_is_held_for_one_datasource(void **state)
{
	struct caller user = add_user("holder");
	struct role role = add_role("reader of two");

	(void)state;
	add_rule("role", role.id, 0, "a*", POLICY_READ_VALUES, false);
	add_rule("role", role.id, grid.south.id, "b*", POLICY_READ_VALUES,
		false);
	give(&role, "user", user.id, grid.north.id);
	assert_true(may_read(&user, &grid.north, "a"));
	assert_false(may_read(&user, &grid.south, "a"));
	assert_false(may_read(&user, &grid.south, "b")); /* of the south */
	give(&role, "everyone", 0, grid.south.id);
	assert_true(may_read(&user, &grid.south, "b"));
	good(role_delete(grid.controller, &role, &grid.fault));
	assert_false(may_read(&user, &grid.south, "b"));
	assert_int_equal(count_rules("role", role.id), 0);
}

static void
test_role_built_in_stays(void **state)
{
	static const char *const names[] = {"ReadAll", "WriteVariables",
		"Technician", "Operator", "Engineer", "Administrator"};
	struct role role;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		good(role_find(grid.controller, grid.arena, names[i], &role,
			&grid.fault));
		assert_true(role.built_in);
		assert_int_equal(
			role_delete(grid.controller, &role, &grid.fault),
			RC_DENIED);
	}
}

/* --- everyone, nodes, nobody -------------------------------------------------
 */

static void
test_policy_of_everyone_is_not_for_nobody(void **state)
{
	const struct caller nobody = {
		.kind = CALLER_NOBODY, .scopes = "", .csrf = "x"};
	struct caller node = {.kind = CALLER_NODE,
		.id = add(ADD_NODE, "a node"),
		.scopes = "hub"};
	const char *rule = add_rule(
		"everyone", 0, 0, "public/*", POLICY_READ_VALUES, false);

	(void)state;
	assert_true(may_read(&node, &grid.north, "public/x"));
	assert_false(may_read(&nobody, &grid.north, "public/x"));
	add_rule("node", node.id, 0, "own/*", POLICY_READ_VALUES, false);
	assert_true(may_read(&node, &grid.north, "own/x"));
	good(policy_rule_delete(
		grid.controller, grid.arena, rule, &grid.fault));
	assert_false(may_read(&node, &grid.north, "public/x"));
}

static void
test_policy_forgets_who_is_gone(void **state)
{
	struct caller user = add_user("leaver");

	(void)state;
	add_rule("user", user.id, 0, "*", POLICY_ANY, false);
	assert_int_equal(count_rules("user", user.id), 1);
	good(db_exec(grid.owner, &test_stmts[DROP_ACCOUNT],
		PARAMS(P_SHORT(user.id)), NULL, &grid.fault));
	assert_int_equal(count_rules("user", user.id), 0);
}

/* --- the cache ---------------------------------------------------------------
 */

static bool
cached_may_read(struct policy_cache *cache, const struct caller *caller)
{
	const struct policy *policy;

	good(policy_cache_get(
		cache, grid.api, grid.arena, caller, &policy, &grid.fault));
	return policy_allows(policy, grid.north.id, "x", POLICY_READ_VALUES);
}

static void
test_policy_cache_keeps_until_it_is_told(void **state)
{
	struct policy_cache *cache = policy_cache_new();
	struct caller user = add_user("cached");
	struct arena *own = grid.arena;

	(void)state;
	grid.arena = arena_new();
	assert_false(cached_may_read(cache, &user));
	add_rule("user", user.id, 0, "*", POLICY_READ_VALUES, false);
	assert_false(cached_may_read(cache, &user)); /* within the second */
	policy_cache_forget(cache);
	assert_true(cached_may_read(cache, &user));
	user.user_epoch = 2; /* another epoch is another entry */
	assert_true(cached_may_read(cache, &user));
	policy_cache_free(cache);
	arena_free(grid.arena);
	grid.arena = own;
}

static void
test_policy_cache_holds_more_subjects_than_it_keeps(void **state)
{
	struct policy_cache *cache = policy_cache_new();
	const struct policy *first;
	struct caller user = {
		.kind = CALLER_USER, .id = 1000000, .scopes = "", .csrf = "x"};

	(void)state;
	good(policy_cache_get(
		cache, grid.api, grid.arena, &user, &first, &grid.fault));
	for (int i = 0; i < 600; i++) {
		struct arena *arena = arena_new();
		const struct policy *policy;

		user.id++;
		good(policy_cache_get(
			cache, grid.api, arena, &user, &policy, &grid.fault));
		arena_free(arena);
	}
	/* Let go by the cache, still held by its arena. */
	assert_false(
		policy_allows(first, grid.north.id, "x", POLICY_READ_VALUES));
	policy_cache_free(cache);
}

static void
test_policy_version_counts_changes_alone(void **state)
{
	struct group group = add_group("counted");
	struct caller user = add_user("counted");
	int64_t before = version();

	(void)state;
	good(db_exec(grid.owner, &test_stmts[TOUCH], PARAMS(P_SHORT(0)), NULL,
		&grid.fault));
	good(group_remove_user(
		grid.controller, group.id, user.id, &grid.fault));
	assert_int_equal(version(), before);
	good(group_add_user(grid.controller, group.id, user.id, &grid.fault));
	assert_int_equal(version(), before + 1);
	good(group_add_user(grid.controller, group.id, user.id, &grid.fault));
	assert_int_equal(version(), before + 1);
}

/* --- words -------------------------------------------------------------------
 */

static enum rc
check(const struct caller *caller, const char *name,
	enum variable_access access, enum policy_action action)
{
	const struct variable variable = {
		.datasource_id = (int32_t)grid.north.id,
		.name = name,
		.access = access};
	const struct policy *policy;

	good(policy_load(grid.api, grid.arena, caller, &policy, &grid.fault));
	grid.fault = (struct fault){.rc = RC_OK};
	return policy_check(policy, &variable, action, &grid.fault);
}

static void
test_policy_check_says_what_is_missing(void **state)
{
	struct caller user = add_user("checked");

	(void)state;
	add_rule("user", user.id, 0, "r*", POLICY_READ_VALUES, false);
	add_rule("user", user.id, 0, "rw*", POLICY_WRITE_VALUES, false);
	assert_int_equal(
		check(&user, "x", ACCESS_READ_WRITE, POLICY_READ_VALUES),
		RC_NOT_FOUND);
	assert_int_equal(
		check(&user, "x", ACCESS_READ_WRITE, POLICY_WRITE_VALUES),
		RC_NOT_FOUND);
	assert_int_equal(check(&user, "rw", ACCESS_NONE, POLICY_WRITE_VALUES),
		RC_NOT_FOUND);
	assert_int_equal(
		check(&user, "r", ACCESS_READ_WRITE, POLICY_WRITE_VALUES),
		RC_DENIED);
	assert_string_equal(grid.fault.code, "RightMissing");
	assert_non_null(strstr(grid.fault.client, "WriteVariables"));
	assert_int_equal(check(&user, "rw", ACCESS_READ, POLICY_WRITE_VALUES),
		RC_DENIED);
	assert_string_equal(grid.fault.code, "AccessRefused");
	assert_int_equal(
		check(&user, "rw", ACCESS_READ_WRITE, POLICY_WRITE_VALUES),
		RC_OK);
	user.csrf = NULL;
	user.scopes = "openid API.read";
	assert_int_equal(
		check(&user, "rw", ACCESS_READ_WRITE, POLICY_WRITE_VALUES),
		RC_DENIED);
	assert_string_equal(grid.fault.code, "InsufficientScope");
	assert_int_equal(
		check(&user, "rw", ACCESS_READ_WRITE, POLICY_READ_VALUES),
		RC_OK);
}

static void
test_policy_administers_by_right_or_by_flag(void **state)
{
	struct caller user = add_user("chief");
	const struct policy *policy;
	struct role role;

	(void)state;
	good(policy_load(grid.api, grid.arena, &user, &policy, &grid.fault));
	assert_int_equal(
		policy_check_administrator(policy, &grid.fault), RC_DENIED);
	good(role_find(grid.controller, grid.arena, "Administrator", &role,
		&grid.fault));
	give(&role, "user", user.id, 0);
	good(policy_load(grid.api, grid.arena, &user, &policy, &grid.fault));
	good(policy_check_administrator(policy, &grid.fault));
	add_rule("user", user.id, 0, "*", POLICY_ADMINISTER, true);
	good(policy_load(grid.api, grid.arena, &user, &policy, &grid.fault));
	assert_int_equal(
		policy_check_administrator(policy, &grid.fault), RC_DENIED);
	user.administrator = true; /* the flag cannot be denied */
	good(policy_load(grid.api, grid.arena, &user, &policy, &grid.fault));
	good(policy_check_administrator(policy, &grid.fault));
	user.csrf = NULL;
	user.scopes = "API.write";
	good(policy_load(grid.api, grid.arena, &user, &policy, &grid.fault));
	assert_int_equal(
		policy_check_administrator(policy, &grid.fault), RC_DENIED);
	assert_string_equal(grid.fault.code, "InsufficientScope");
}

static void
test_policy_explain_finds_all_ways(void **state)
{
	struct caller user = add_user("explained");
	struct group group = add_group("explained group");
	struct role role = add_role("explained role");
	const struct variable variable = {
		.datasource_id = (int32_t)grid.north.id,
		.name = "pump/power",
		.access = ACCESS_READ_WRITE};
	const struct policy_question question = {
		.subject = {.kind = "user", .id = user.id},
		.action = POLICY_READ_VALUES,
		.datasource_id = grid.north.id,
		.variable = &variable,
	};
	struct policy_answer answer;

	(void)state;
	good(policy_explain(
		grid.controller, grid.arena, &question, &answer, &grid.fault));
	assert_false(answer.allowed);
	assert_int_equal(answer.because, BECAUSE_NO_RULE);
	good(group_add_user(grid.controller, group.id, user.id, &grid.fault));
	add_rule("role", role.id, 0, "pump/*", POLICY_READ_ALL, false);
	give(&role, "group", group.id, grid.north.id);
	add_rule("user", user.id, grid.south.id, "*", POLICY_READ_ALL, true);
	add_rule("user", user.id, 0, "tank/*", POLICY_READ_ALL, true);
	good(policy_explain(
		grid.controller, grid.arena, &question, &answer, &grid.fault));
	assert_true(answer.allowed);
	assert_int_equal(answer.because, BECAUSE_RULE);
	assert_int_equal(answer.count, 1);
	assert_string_equal(answer.reasons[0].name, "explained role");
	assert_string_equal(answer.reasons[0].holder, "explained group");
	add_rule("everyone", 0, 0, "pump/power", POLICY_READ_VALUES, true);
	good(policy_explain(
		grid.controller, grid.arena, &question, &answer, &grid.fault));
	assert_int_equal(answer.because, BECAUSE_DENIED);
	assert_int_equal(answer.count, 2);
	assert_true(answer.reasons[0].deny);
	assert_string_equal(answer.reasons[0].kind, "everyone");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_comes_by_nested_groups),
		cmocka_unit_test(test_group_refuses_circles_at_both_doors),
		cmocka_unit_test(
			test_group_requires_a_factor_of_nested_members),
		cmocka_unit_test(test_role_is_held_for_one_datasource),
		cmocka_unit_test(test_role_built_in_stays),
		cmocka_unit_test(test_policy_of_everyone_is_not_for_nobody),
		cmocka_unit_test(test_policy_forgets_who_is_gone),
		cmocka_unit_test(test_policy_cache_keeps_until_it_is_told),
		cmocka_unit_test(
			test_policy_cache_holds_more_subjects_than_it_keeps),
		cmocka_unit_test(test_policy_version_counts_changes_alone),
		cmocka_unit_test(test_policy_check_says_what_is_missing),
		cmocka_unit_test(test_policy_administers_by_right_or_by_flag),
		cmocka_unit_test(test_policy_explain_finds_all_ways),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
