/* policy_explain: why a subject may, or may not. */

#include "model/policy_explain.h"

#include <string.h>

#include "model/licence.h"
#include "model/policy_around.h"

enum { STMT_REASONS };

/* Whose a rule is, and by whom a role is held. */
#define SUBJECT_NAME POLICY_SUBJECT_NAME("rule.subject_kind", "rule.subject_id")
#define HOLDER_NAME  POLICY_SUBJECT_NAME("held.kind", "held.id")

#define RULE_COLUMNS                                                           \
	"SELECT rule.uuid::text, rule.effect = 'deny' AS deny, rule.actions"   \
	", (SELECT uuid::text FROM datasource"                                 \
	"    WHERE id = coalesce(rule.datasource_id, "

const struct stmt policy_explain_stmts[] = {
	/* $1 kind $2 id $3 action $4 datasource $5 variable */
	[STMT_REASONS] = {"policy_reasons", "tnnnt",
		POLICY_AROUND
		"SELECT found.* FROM (" RULE_COLUMNS "NULL))"
		"     , rule.pattern, rule.names IS NOT NULL"
		"     , rule.subject_kind," SUBJECT_NAME
		"     , NULL, NULL, rule.description, rule.id"
		"  FROM policy_rule AS rule"
		"  JOIN subject ON subject.kind = rule.subject_kind"
		"   AND subject.id = rule.subject_id"
		" WHERE rule.actions & $3 <> 0"
		"   AND coalesce(rule.datasource_id, $4) = $4"
		"   AND (rule.names IS NULL OR $5 = ANY (rule.names))"
		" UNION ALL " RULE_COLUMNS "held.datasource_id))"
		"     , rule.pattern, rule.names IS NOT NULL"
		"     , rule.subject_kind," SUBJECT_NAME
		"     , held.kind," HOLDER_NAME
		"     , rule.description, rule.id"
		"  FROM held"
		"  JOIN policy_rule AS rule ON rule.subject_kind = 'role'"
		"   AND rule.subject_id = held.role_id"
		" WHERE rule.actions & $3 <> 0"
		"   AND coalesce(rule.datasource_id, $4) = $4"
		"   AND coalesce(held.datasource_id, $4) = $4"
		"   AND (rule.names IS NULL OR $5 = ANY (rule.names)))"
		"    AS found (uuid, deny, actions, datasource, pattern"
		"     , literal, kind, name, holder_kind, holder, description"
		"     , id)"
		" ORDER BY deny DESC, id LIMIT 100000"},
	STMT_END,
};

static bool
speaks(const struct rows *rows, size_t row, const char *name)
{
	return rows_bool(rows, row, 5) ||
	       policy_matches(rows_text(rows, row, 4), name);
}

static void
from_row(const struct rows *rows, size_t row, const char *name,
	struct policy_reason *reason)
{
	bool literal = rows_bool(rows, row, 5);

	*reason = (struct policy_reason){
		.rule = rows_text(rows, row, 0),
		.deny = rows_bool(rows, row, 1),
		.actions = (uint32_t)rows_int(rows, row, 2),
		.datasource = rows_text(rows, row, 3),
		.object = literal ? name : rows_text(rows, row, 4),
		.literal = literal,
		.kind = rows_text(rows, row, 6),
		.name = rows_text(rows, row, 7),
		.holder_kind = rows_text(rows, row, 8),
		.holder = rows_text(rows, row, 9),
		.description = rows_text(rows, row, 10),
	};
}

static enum rc
find_reasons(struct db *db, struct arena *arena,
	const struct policy_question *question, struct policy_answer *answer,
	struct fault *fault)
{
	const char *name = question->variable->name;
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &policy_explain_stmts[STMT_REASONS],
		PARAMS(P_TEXT(question->subject.kind),
			P_SHORT(question->subject.id),
			P_SHORT(question->action),
			P_SHORT(question->datasource_id), P_TEXT(name)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	answer->reasons =
		arena_array(arena, rows_count(rows), sizeof(*answer->reasons));
	for (size_t row = 0; row < rows_count(rows); row++)
		if (speaks(rows, row, name))
			from_row(rows, row, name,
				&answer->reasons[answer->count++]);
	return RC_OK;
}

static struct caller
caller_for(const struct policy_subject *subject, const char *scopes)
{
	struct caller caller = {
		.kind = CALLER_CLIENT,
		.id = subject->id,
		.scopes = scopes != NULL ? scopes : "",
		.csrf = scopes != NULL ? NULL : "",
	};

	if (strcmp(subject->kind, "user") == 0)
		caller.kind = CALLER_USER;
	if (strcmp(subject->kind, "node") == 0)
		caller.kind = CALLER_NODE;
	caller.administrator = subject->administrator;
	return caller;
}

enum rc
policy_load_subject(struct db *db, struct arena *arena,
	const struct policy_subject *subject, const char *scopes,
	const struct policy **policy, struct fault *fault)
{
	struct caller caller = caller_for(subject, scopes);
	const struct policy_index *index = NULL;
	enum rc rc = policy_compile(
		db, arena, subject->kind, subject->id, &index, fault);

	if (rc == RC_OK)
		*policy = policy_wrap(arena, &caller, index);
	return rc;
}

/* The first thing in the way; the order is that of policy_check. */
static enum policy_because
find_cause(const struct policy_question *question,
	const struct policy_answer *answer)
{
	if (answer->count > 0 && answer->reasons[0].deny)
		return BECAUSE_DENIED;
	if (answer->count == 0 && !question->subject.administrator)
		return BECAUSE_NO_RULE;
	if (!answer->allowed && !answer->licensed)
		return BECAUSE_LICENCE;
	if (!answer->allowed)
		return answer->scope_covers ? BECAUSE_ACCESS : BECAUSE_SCOPE;
	return answer->count > 0 ? BECAUSE_RULE : BECAUSE_ADMINISTRATOR;
}

enum rc
policy_explain(struct db *db, struct arena *arena,
	const struct policy_question *question, struct policy_answer *answer,
	struct fault *fault)
{
	struct caller caller = caller_for(&question->subject, question->scopes);
	const struct policy *policy = NULL;
	enum rc rc;

	*answer = (struct policy_answer){
		.because = BECAUSE_NO_VARIABLE,
		.scope_covers =
			(policy_scope_actions(&caller) & question->action) != 0,
		.licensed = licence_allows(question->action),
	};
	if (question->variable == NULL)
		return RC_OK;
	rc = policy_load_subject(db, arena, &question->subject,
		question->scopes, &policy, fault);
	if (rc == RC_OK)
		rc = find_reasons(db, arena, question, answer, fault);
	if (rc != RC_OK)
		return rc;
	answer->allowed =
		policy_may(policy, question->variable, question->action);
	answer->because = find_cause(question, answer);
	return RC_OK;
}

/* --- words ---------------------------------------------------------------- */

static const struct {
	const char *name;
	const char *words;
} becauses[] = {
	[BECAUSE_ADMINISTRATOR] = {"Administrator",
		"The account is an administrator's, and no rule denies it."},
	[BECAUSE_RULE] = {"Allowed", "A rule allows it, and none denies it."},
	[BECAUSE_DENIED] = {"Denied", "A rule denies it; that always wins."},
	[BECAUSE_NO_RULE] = {"NoRule", "No rule allows it."},
	[BECAUSE_NO_VARIABLE] = {"NoVariable",
		"The datasource has no variable of this name."},
	[BECAUSE_ACCESS] = {"Access",
		"Rules allow it; the variable's access flag does not."},
	[BECAUSE_SCOPE] = {"Scope",
		"Rules allow it; the scopes of the token do not cover it."},
	[BECAUSE_LICENCE] = {"Licence",
		"Rules allow it; the licence does not cover it."},
};

const char *
policy_because_name(enum policy_because because)
{
	return becauses[because].name;
}

const char *
policy_because_words(enum policy_because because)
{
	return becauses[because].words;
}
