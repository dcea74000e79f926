/* policy: what a caller may do to which variables. */

#include "model/policy.h"

#include <string.h>

#include "model/licence.h"
#include "model/policy_around.h"
#include "model/policy_cache.h"

enum { STMT_LOAD, STMT_NAMES, STMT_VERSION };

const struct stmt policy_stmts[] = {
	[STMT_LOAD] = {"policy_load", "tn", /* $1 subject kind $2 its id */
		POLICY_AROUND
		"SELECT coalesce(rule.datasource_id, 0)"
		"     , pattern"
		"     , actions"
		"     , effect = 'deny'"
		"     , names"
		"  FROM policy_rule AS rule"
		"  JOIN subject ON subject.kind = subject_kind"
		"   AND subject.id = subject_id"
		" UNION ALL "
		"SELECT coalesce(rule.datasource_id, held.datasource_id, 0)"
		"     , pattern"
		"     , actions"
		"     , effect = 'deny'"
		"     , names"
		"  FROM held"
		"  JOIN policy_rule AS rule ON subject_kind = 'role'"
		"   AND subject_id = held.role_id"
		" WHERE rule.datasource_id IS NULL"
		"    OR held.datasource_id IS NULL"
		"    OR rule.datasource_id = held.datasource_id"},
	[STMT_NAMES] = {"policy_names", "tn", /* $1 subject kind $2 its id */
		POLICY_AROUND
		"SELECT ARRAY(SELECT name FROM user_group"
		"              WHERE id IN (SELECT id FROM around)"
		"              ORDER BY name)"
		"     , ARRAY(SELECT name FROM role"
		"              WHERE id IN (SELECT role_id FROM held)"
		"              ORDER BY name)"},
	[STMT_VERSION] = {"policy_version", "",
		"SELECT version FROM policy_version"},
	STMT_END,
};

struct policy {
	bool administrator;
	uint32_t scope; /* actions that the token lets through */
	const struct policy_index *index;
};

/* --- loading -------------------------------------------------------------- */

const char *
policy_kind(enum caller_kind kind)
{
	switch (kind) {
	case CALLER_USER:
		return "user";
	case CALLER_CLIENT:
		return "client";
	case CALLER_NODE:
		return "node";
	case CALLER_NOBODY:
		break;
	}
	return "";
}

/* The objects of one row: its pattern, or each of its names. */
static const char **
read_objects(struct arena *arena, const struct rows *rows, size_t row)
{
	const char **objects;

	if (!rows_null(rows, row, 4))
		return rows_texts(rows, arena, row, 4);
	objects = arena_array(arena, 2, sizeof(*objects));
	objects[0] = rows_text(rows, row, 1);
	return objects;
}

static size_t
count_texts(const char *const *texts)
{
	size_t count = 0;

	while (texts[count] != NULL)
		count++;
	return count;
}

/* Of "rows" only the objects are copied; the rest may go. */
static const struct policy_index *
compile(struct arena *arena, struct arena *scratch, const struct rows *rows)
{
	const char ***objects =
		arena_array(scratch, rows_count(rows), sizeof(*objects));
	struct policy_line *lines;
	size_t count = 0;

	for (size_t row = 0; row < rows_count(rows); row++) {
		objects[row] = read_objects(scratch, rows, row);
		count += count_texts(objects[row]);
	}
	lines = arena_array(scratch, count, sizeof(*lines));
	count = 0;
	for (size_t row = 0; row < rows_count(rows); row++)
		for (size_t i = 0; objects[row][i] != NULL; i++)
			lines[count++] = (struct policy_line){
				.datasource_id = rows_int(rows, row, 0),
				.object = arena_strdup(arena, objects[row][i]),
				.actions = (uint32_t)rows_int(rows, row, 2),
				.literal = !rows_null(rows, row, 4),
				.deny = rows_bool(rows, row, 3),
			};
	return policy_index_build(arena, lines, count);
}

/* The index may be kept for long: it gets no more memory than it needs. */
enum rc
policy_compile(struct db *db, struct arena *arena, const char *kind, int64_t id,
	const struct policy_index **index, struct fault *fault)
{
	struct arena *scratch = arena_new();
	struct rows *rows = NULL;
	enum rc rc = db_query(db, scratch, &policy_stmts[STMT_LOAD],
		PARAMS(P_TEXT(kind), P_SHORT(id)), &rows, fault);

	if (rc == RC_OK)
		*index = compile(arena, scratch, rows);
	arena_free(scratch);
	return rc;
}

enum rc
policy_version(struct db *db, struct arena *arena, int64_t *version,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &policy_stmts[STMT_VERSION], NO_PARAMS,
		&rows, fault);

	if (rc == RC_OK)
		*version = rows_int(rows, 0, 0);
	return rc;
}

const struct policy *
policy_wrap(struct arena *arena, const struct caller *caller,
	const struct policy_index *index)
{
	struct policy *policy = arena_alloc(arena, sizeof(*policy));

	policy->administrator =
		caller->kind == CALLER_USER && caller->administrator;
	policy->scope = policy_scope_actions(caller);
	policy->index = index;
	return policy;
}

/* Nobody is not even among everyone. */
enum rc
policy_load(struct db *db, struct arena *arena, const struct caller *caller,
	const struct policy **policy, struct fault *fault)
{
	const struct policy_index *index = policy_index_build(arena, NULL, 0);
	enum rc rc = RC_OK;

	if (caller->kind != CALLER_NOBODY)
		rc = policy_compile(db, arena, policy_kind(caller->kind),
			caller->id, &index, fault);
	if (rc == RC_OK)
		*policy = policy_wrap(arena, caller, index);
	return rc;
}

enum rc
policy_of(struct req *req, const struct policy **policy)
{
	if (req->policies != NULL)
		return policy_cache_get(req->policies, req->db, req->arena,
			req->caller, policy, &req->fault);
	return policy_load(
		req->db, req->arena, req->caller, policy, &req->fault);
}

enum rc
policy_names(struct db *db, struct arena *arena, enum caller_kind kind,
	int64_t id, struct policy_names *names, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &policy_stmts[STMT_NAMES],
		PARAMS(P_TEXT(policy_kind(kind)), P_SHORT(id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	names->groups = rows_texts(rows, arena, 0, 0);
	names->roles = rows_texts(rows, arena, 0, 1);
	return RC_OK;
}

/* --- deciding ------------------------------------------------------------- */

static const struct {
	const char *scope;
	uint32_t actions;
} scopes[] = {
	{"API", POLICY_EVERY},
	{"serviceGridAPI.full_access", POLICY_EVERY},
	{"iiotServicesAPI", POLICY_EVERY},
	{"API.write", POLICY_ANY},
	{"API.read", POLICY_READ_ALL},
	{"dataStorageAPI", POLICY_READ_ALL},
};

uint32_t
policy_scope_actions(const struct caller *caller)
{
	uint32_t actions = 0;

	if (caller->csrf != NULL)
		return POLICY_EVERY;
	if (caller->kind == CALLER_NODE)
		return POLICY_ANY;
	for (size_t i = 0; i < ARRAY_LENGTH(scopes); i++)
		if (caller_has_scope(caller, scopes[i].scope))
			actions |= scopes[i].actions;
	return actions;
}

/* Which of the actions the rules grant; scopes are not looked at. */
static uint32_t
granted(const struct policy *policy, int64_t datasource_id,
	const char *variable, uint32_t actions)
{
	struct policy_verdict verdict = policy_index_find(
		policy->index, datasource_id, variable, actions);

	if (policy->administrator)
		verdict.allow = actions;
	return actions & verdict.allow & ~verdict.deny;
}

bool
policy_allows(const struct policy *policy, int64_t datasource_id,
	const char *variable, enum policy_action action)
{
	uint32_t actions = policy->scope & (uint32_t)action;

	return actions != 0 &&
	       granted(policy, datasource_id, variable, actions) != 0;
}

static uint32_t
touched(const struct policy *policy, int64_t datasource_id)
{
	struct policy_verdict verdict =
		policy_index_touch(policy->index, datasource_id);

	if (policy->administrator)
		verdict.allow = POLICY_EVERY;
	return verdict.allow & ~verdict.deny;
}

bool
policy_touches(const struct policy *policy, int64_t datasource_id,
	enum policy_action action)
{
	return (policy->scope & touched(policy, datasource_id) &
		       (uint32_t)action) != 0;
}

bool
policy_covers(const struct policy *policy, int64_t datasource_id,
	enum policy_action action)
{
	struct policy_verdict verdict =
		policy_index_whole(policy->index, datasource_id);

	if (policy->administrator)
		verdict.allow = POLICY_EVERY;
	return licence_allows(action) &&
	       (policy->scope & verdict.allow & ~verdict.deny &
		       (uint32_t)action) != 0;
}

bool
policy_sees(const struct policy *policy, int64_t datasource_id)
{
	return (policy->scope & touched(policy, datasource_id) &
		       POLICY_READ_ALL) != 0;
}

/* What the variable's own flag lets the outside do at most. */
static bool
access_permits(const struct variable *variable, enum policy_action action)
{
	if (action == POLICY_WRITE_VALUES)
		return variable->access == ACCESS_READ_WRITE;
	return variable->access != ACCESS_NONE;
}

bool
policy_may(const struct policy *policy, const struct variable *variable,
	enum policy_action action)
{
	return access_permits(variable, action) && licence_allows(action) &&
	       policy_allows(
		       policy, variable->datasource_id, variable->name, action);
}

bool
policy_knows(const struct policy *policy, const struct variable *variable)
{
	return variable->access != ACCESS_NONE &&
	       granted(policy, variable->datasource_id, variable->name,
		       policy->scope & POLICY_READ_ALL) != 0;
}

static enum rc
tell_missing(enum policy_action action, struct fault *fault)
{
	return fault_tell(fault, RC_DENIED, "RightMissing", NULL,
		"You lack the right %s.", policy_action_name(action));
}

static enum rc
tell_scope(struct fault *fault)
{
	return fault_tell(fault, RC_DENIED, "InsufficientScope", NULL,
		"The scopes of the token do not cover this.");
}

enum rc
policy_check(const struct policy *policy, const struct variable *variable,
	enum policy_action action, struct fault *fault)
{
	if (policy_may(policy, variable, action))
		return RC_OK;
	if ((action & POLICY_READ_ALL) != 0 || !policy_knows(policy, variable))
		return fault_tell(fault, RC_NOT_FOUND, "NotFound", "name",
			"There is no variable of this name.");
	if (granted(policy, variable->datasource_id, variable->name, action) ==
		0)
		return tell_missing(action, fault);
	if (!access_permits(variable, action))
		return fault_tell(fault, RC_DENIED, "AccessRefused", "name",
			"The variable can only be read from outside.");
	if (!licence_allows(action))
		return fault_tell(fault, RC_DENIED, "NotLicensed", NULL,
			"The licence does not cover %s.",
			policy_action_name(action));
	return tell_scope(fault);
}

enum rc
policy_check_list(const struct policy *policy, int64_t datasource_id,
	enum policy_action action, struct fault *fault)
{
	if (policy_touches(policy, datasource_id, action))
		return RC_OK;
	return (touched(policy, datasource_id) & (uint32_t)action) != 0
		       ? tell_scope(fault)
		       : tell_missing(action, fault);
}

/* A grid is administered as a whole: only rules about everything count, and
 * no rule takes the flag of an account away. */
enum rc
policy_check_administrator(const struct policy *policy, struct fault *fault)
{
	if (!policy->administrator &&
		granted(policy, 0, "", POLICY_ADMINISTER) == 0)
		return tell_missing(POLICY_ADMINISTER, fault);
	return (policy->scope & POLICY_ADMINISTER) != 0 ? RC_OK
							: tell_scope(fault);
}

/* --- names ---------------------------------------------------------------- */

/* The first ones are several rights under one name. */
#define NAMES_OF_SEVERAL 2

static const struct {
	const char *text;
	uint32_t actions;
} names[] = {
	{"*", POLICY_ANY},
	{"ReadAll", POLICY_READ_ALL},
	{"ReadVariables", POLICY_READ_VALUES},
	{"ReadArchives", POLICY_READ_HISTORY},
	{"WriteVariables", POLICY_WRITE_VALUES},
	{"ReadAlarms", POLICY_READ_ALARMS},
	{"AcknowledgeAlarms", POLICY_ACKNOWLEDGE_ALARMS},
	{"ReadEvents", POLICY_READ_EVENTS},
	{"ReadReports", POLICY_READ_REPORTS},
	{"Configure", POLICY_CONFIGURE},
	{"Administer", POLICY_ADMINISTER},
};

static uint32_t
find_actions(const char *text, size_t length)
{
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (strlen(names[i].text) == length &&
			memcmp(names[i].text, text, length) == 0)
			return names[i].actions;
	return 0;
}

enum rc
policy_actions_parse(const char *text, uint32_t *actions, struct fault *fault)
{
	*actions = 0;
	while (*text != '\0') {
		size_t length = strcspn(text, ",");
		uint32_t found = find_actions(text, length);

		if (found == 0)
			return fault_tell(fault, RC_BAD_INPUT, "UnknownRight",
				"rights", "\"%.*s\" is no right.",
				(int)(length < 60 ? length : 60), text);
		*actions |= found;
		text += length;
		text += *text == ',';
	}
	return *actions != 0 ? RC_OK
			     : fault_tell(fault, RC_BAD_INPUT, "UnknownRight",
				       "rights", "No right is named.");
}

const char *
policy_action_name(enum policy_action action)
{
	for (size_t i = NAMES_OF_SEVERAL; i < ARRAY_LENGTH(names); i++)
		if (names[i].actions == (uint32_t)action)
			return names[i].text;
	return "";
}

const char **
policy_action_names(struct arena *arena, uint32_t actions)
{
	const char **list =
		arena_array(arena, ARRAY_LENGTH(names) + 1, sizeof(*list));
	size_t count = 0;

	for (size_t i = NAMES_OF_SEVERAL; i < ARRAY_LENGTH(names); i++)
		if ((actions & names[i].actions) != 0)
			list[count++] = names[i].text;
	return list;
}
