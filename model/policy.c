/* policy: what a caller may do to which variables. */

#include "model/policy.h"

#include <string.h>

enum { STMT_LOAD, STMT_NAMES, STMT_GRANT, STMT_CLEAR };

/* The groups around a user, nested ones as well; $1 kind $2 id of a subject. */
#define AROUND                                                                 \
	"WITH RECURSIVE around(id) AS ("                                       \
	"     SELECT group_id FROM group_account"                              \
	"      WHERE $1 = 'user' AND account_id = $2"                          \
	"      UNION"                                                          \
	"     SELECT nesting.group_id FROM group_nesting AS nesting"           \
	"       JOIN around ON nesting.member_id = around.id)"                 \
	", subject(kind, id) AS ("                                             \
	"     SELECT $1, $2"                                                   \
	"      UNION ALL SELECT 'everyone', 0"                                 \
	"      UNION ALL SELECT 'group', id FROM around)"                      \
	", held(role_id, datasource_id) AS ("                                  \
	"     SELECT role_id, datasource_id FROM role_grant"                   \
	"       JOIN subject ON subject.kind = subject_kind"                   \
	"        AND subject.id = subject_id) "

const struct stmt policy_stmts[] = {
	[STMT_LOAD] = {"policy_load", "tn", /* $1 subject kind $2 its id */
		AROUND
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
		AROUND "SELECT ARRAY(SELECT name FROM user_group"
		       "              WHERE id IN (SELECT id FROM around)"
		       "              ORDER BY name)"
		       "     , ARRAY(SELECT name FROM role"
		       "              WHERE id IN (SELECT role_id FROM held)"
		       "              ORDER BY name)"},
	/* $1 subject kind $2 its id $3 datasource or 0 $4 pattern $5 actions
	 * $6 effect */
	[STMT_GRANT] = {"policy_grant", "tnntnt",
		"INSERT INTO policy_rule (subject_kind, subject_id"
		"     , datasource_id, pattern, actions, effect)"
		" VALUES ($1, $2, nullif($3, 0), $4, $5, $6)"},
	[STMT_CLEAR] = {"policy_clear", "tnn",
		"DELETE FROM policy_rule"
		" WHERE subject_kind = $1 AND subject_id = $2"
		"   AND ($3 = 0 OR datasource_id = $3)"},
	STMT_END,
};

struct rule {
	int64_t datasource_id; /* 0 = every one */
	const char *pattern;
	int64_t actions;
	bool deny;
};

struct policy {
	bool administrator;
	size_t count;
	struct rule *rules;
};

static const char *
subject_kind(enum caller_kind kind)
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

static void
read_rules(struct arena *arena, const struct rows *rows, struct policy *policy)
{
	const char ***objects =
		arena_array(arena, rows_count(rows), sizeof(*objects));
	size_t count = 0;

	for (size_t row = 0; row < rows_count(rows); row++) {
		objects[row] = read_objects(arena, rows, row);
		for (size_t i = 0; objects[row][i] != NULL; i++)
			count++;
	}
	policy->rules = arena_array(arena, count, sizeof(*policy->rules));
	for (size_t row = 0; row < rows_count(rows); row++)
		for (size_t i = 0; objects[row][i] != NULL; i++)
			policy->rules[policy->count++] = (struct rule){
				.datasource_id = rows_int(rows, row, 0),
				.pattern = objects[row][i],
				.actions = rows_int(rows, row, 2),
				.deny = rows_bool(rows, row, 3),
			};
}

enum rc
policy_load(struct db *db, struct arena *arena, const struct caller *caller,
	const struct policy **policy, struct fault *fault)
{
	struct policy *made = arena_alloc(arena, sizeof(*made));
	struct rows *rows = NULL;
	enum rc rc;

	*policy = made;
	made->administrator =
		caller->kind == CALLER_USER && caller->administrator;
	if (caller->kind == CALLER_NOBODY)
		return RC_OK;
	rc = db_query(db, arena, &policy_stmts[STMT_LOAD],
		PARAMS(P_TEXT(subject_kind(caller->kind)), P_SHORT(caller->id)),
		&rows, fault);
	if (rc == RC_OK)
		read_rules(arena, rows, made);
	return rc;
}

enum rc
policy_names(struct db *db, struct arena *arena, enum caller_kind kind,
	int64_t id, struct policy_names *names, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &policy_stmts[STMT_NAMES],
		PARAMS(P_TEXT(subject_kind(kind)), P_SHORT(id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	names->groups = rows_texts(rows, arena, 0, 0);
	names->roles = rows_texts(rows, arena, 0, 1);
	return RC_OK;
}

/* Bytes of the character at "text"; a broken one counts as one byte. */
static size_t
character_bytes(const char *text)
{
	size_t bytes = 1;

	while ((text[bytes] & 0xc0) == 0x80)
		bytes++;
	return bytes;
}

/*
 * Only the last "*" is ever tried again, one character further each time, so
 * the work is at most pattern times name.
 */
bool
policy_matches(const char *pattern, const char *name)
{
	const char *star = NULL;
	const char *again = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			again = name;
		} else if (*pattern == '?') {
			pattern++;
			name += character_bytes(name);
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++again;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool
rule_covers(const struct rule *rule, int64_t datasource_id,
	enum policy_action action)
{
	return (rule->actions & (int64_t)action) != 0 &&
	       (rule->datasource_id == 0 ||
		       rule->datasource_id == datasource_id);
}

bool
policy_allows(const struct policy *policy, int64_t datasource_id,
	const char *variable, enum policy_action action)
{
	bool allowed = policy->administrator;

	for (size_t i = 0; i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_covers(rule, datasource_id, action) ||
			!policy_matches(rule->pattern, variable))
			continue;
		if (rule->deny)
			return false;
		allowed = true;
	}
	return allowed;
}

bool
policy_touches(const struct policy *policy, int64_t datasource_id,
	enum policy_action action)
{
	bool touched = policy->administrator;

	for (size_t i = 0; i < policy->count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (!rule_covers(rule, datasource_id, action))
			continue;
		if (rule->deny && strcmp(rule->pattern, "*") == 0)
			return false;
		touched |= !rule->deny;
	}
	return touched;
}

/* An administrator cannot be locked out by a rule: the flag is the last word.
 */
enum rc
policy_check_administrator(const struct policy *policy, struct fault *fault)
{
	if (policy->administrator ||
		policy_touches(policy, 0, POLICY_ADMINISTER))
		return RC_OK;
	return fault_tell(fault, RC_DENIED, "RightMissing", NULL,
		"You lack the right Administer.");
}

struct name {
	const char *text;
	int actions;
};

static const struct name action_names[] = {
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

enum rc
policy_actions_parse(const char *text, int *actions, struct fault *fault)
{
	*actions = 0;
	while (*text != '\0') {
		size_t length = strcspn(text, ",");
		int found = 0;

		for (size_t i = 0; i < ARRAY_LENGTH(action_names); i++)
			if (strlen(action_names[i].text) == length &&
				memcmp(action_names[i].text, text, length) == 0)
				found = action_names[i].actions;
		if (found == 0)
			return fault_tell(fault, RC_BAD_INPUT, "UnknownRight",
				"actions", "\"%.*s\" is no right.",
				(int)(length < 60 ? length : 60), text);
		*actions |= found;
		text += length;
		text += *text == ',';
	}
	return *actions != 0 ? RC_OK
			     : fault_tell(fault, RC_BAD_INPUT, "UnknownRight",
				       "actions", "No right is named.");
}

enum rc
policy_grant(struct db *db, const struct policy_rule *rule, struct fault *fault)
{
	return db_exec(db, &policy_stmts[STMT_GRANT],
		PARAMS(P_TEXT(subject_kind(rule->kind)),
			P_SHORT(rule->subject_id), P_SHORT(rule->datasource_id),
			P_TEXT(rule->pattern), P_SHORT(rule->actions),
			P_TEXT(rule->deny ? "deny" : "allow")),
		NULL, fault);
}

enum rc
policy_clear(struct db *db, enum caller_kind kind, int64_t subject_id,
	int64_t datasource_id, struct fault *fault)
{
	return db_exec(db, &policy_stmts[STMT_CLEAR],
		PARAMS(P_TEXT(subject_kind(kind)), P_SHORT(subject_id),
			P_SHORT(datasource_id)),
		NULL, fault);
}
