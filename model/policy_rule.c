/* policy_rule: what a subject may, or must not, do. */

#include "model/policy_rule.h"

#include <string.h>

#include "lib/encode.h"
#include "lib/utf8.h"

enum {
	STMT_CREATE,
	STMT_FIND,
	STMT_CHANGE,
	STMT_DELETE,
	STMT_CLEAR,
	STMT_BUILT_IN,
	STMT_SLICE,
};

/* Places of rows, as places of a slice, and whose a rule is. */
#define CREATED_AT_PLACE SLICE_TIME("created_at")

#define SUBJECT_NAME POLICY_SUBJECT_NAME("rule.subject_kind", "rule.subject_id")

#define COLUMNS                                                                \
	"rule.uuid::text, rule.subject_kind, rule.subject_id"                  \
	"," SUBJECT_NAME ", coalesce(rule.datasource_id, 0)"                   \
	", (SELECT datasource.uuid::text FROM datasource"                      \
	"    WHERE datasource.id = rule.datasource_id)"                        \
	", rule.pattern, rule.names, rule.actions, rule.effect = 'deny'"       \
	", rule.description, rule.created_at "

const struct stmt policy_rule_stmts[] = {
	/* $1 kind $2 id $3 datasource or 0 $4 pattern $5 names or NULL
	 * $6 actions $7 deny $8 description */
	[STMT_CREATE] = {"policy_rule_create", "tnntTnot",
		"INSERT INTO policy_rule (subject_kind, subject_id"
		"     , datasource_id, pattern, names, actions, effect"
		"     , description)"
		" VALUES ($1, $2, nullif($3, 0), $4, $5, $6"
		"     , CASE WHEN $7 THEN 'deny' ELSE 'allow' END, $8)"
		" RETURNING uuid::text"},
	[STMT_FIND] = {"policy_rule_find", "t",
		"SELECT " COLUMNS "  FROM policy_rule AS rule"
		" WHERE rule.uuid::text = lower($1)"},
	/* $1 uuid $2 datasource or 0 $3 pattern $4 names or NULL $5 actions
	 * $6 deny $7 description */
	[STMT_CHANGE] = {"policy_rule_change", "tntTnot",
		"UPDATE policy_rule SET datasource_id = nullif($2, 0)"
		"     , pattern = $3, names = $4, actions = $5"
		"     , effect = CASE WHEN $6 THEN 'deny' ELSE 'allow' END"
		"     , description = $7"
		" WHERE uuid::text = lower($1)"},
	[STMT_DELETE] = {"policy_rule_delete", "t",
		"DELETE FROM policy_rule WHERE uuid::text = lower($1)"},
	[STMT_CLEAR] = {"policy_rule_clear", "tnn",
		"DELETE FROM policy_rule"
		" WHERE subject_kind = $1 AND subject_id = $2"
		"   AND ($3 = 0 OR datasource_id = $3)"},
	[STMT_BUILT_IN] = {"policy_rule_built_in", "n",
		"SELECT built_in"
		"     , EXISTS (SELECT FROM role_grant WHERE role_id = $1"
		"                  AND subject_kind = 'everyone')"
		"  FROM role WHERE id = $1"},
	/* $6 kind $7 subject $8 datasource $9 effect $10 search */
	[STMT_SLICE] = {"policy_rule_slice", SLICE_TYPES "ttttt",
		"SELECT item.* FROM ("
		"  SELECT " COLUMNS "     , CASE $1"
		"           WHEN 'created' THEN " CREATED_AT_PLACE
		"           WHEN 'subject' THEN subject_kind"
		"                || ' ' ||" SUBJECT_NAME
		"         END COLLATE \"C\" AS place"
		"     , rule.id"
		"  FROM policy_rule AS rule) AS item (uuid, kind, subject_id"
		"     , subject, datasource_id, datasource, pattern, names"
		"     , actions, deny, description, created_at, place, id)"
		" WHERE " SLICE_AFTER "   AND ($6::text IS NULL OR kind = $6)"
		"   AND ($7::text IS NULL OR subject = $7)"
		"   AND ($8::text IS NULL OR datasource = lower($8))"
		"   AND ($9::text IS NULL OR deny = ($9 = 'deny'))"
		"   AND ($10::text IS NULL"
		"        OR strpos(lower(pattern), lower($10)) > 0"
		"        OR strpos(lower(description), lower($10)) > 0"
		"        OR strpos(lower(subject), lower($10))"
		"           > 0)" SLICE_ORDER},
	STMT_END,
};

static void
from_row(struct arena *arena, const struct rows *rows, size_t row,
	struct policy_rule *rule)
{
	*rule = (struct policy_rule){
		.id = rows_text(rows, row, 0),
		.subject.kind = rows_text(rows, row, 1),
		.subject.id = rows_int(rows, row, 2),
		.subject.name = rows_text(rows, row, 3),
		.datasource_id = rows_int(rows, row, 4),
		.datasource = rows_text(rows, row, 5),
		.pattern = rows_text(rows, row, 6),
		.actions = (uint32_t)rows_int(rows, row, 8),
		.deny = rows_bool(rows, row, 9),
		.description = rows_text(rows, row, 10),
		.created_us = rows_time(rows, row, 11),
	};
	if (!rows_null(rows, row, 7))
		rule->names = rows_texts(rows, arena, row, 7);
}

/* --- what may be stored -----------------------------------------------------
 */

static enum rc
check_object(const char *object, const char *field, struct fault *fault)
{
	if (utf8_is_name(object, VARIABLE_NAME_BYTES_MAX))
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "BadRule", field,
		"A variable's name or pattern has 1 to %d bytes, no control "
		"characters and no space at an end.",
		VARIABLE_NAME_BYTES_MAX);
}

static enum rc
check_names(const struct policy_rule *rule, struct fault *fault)
{
	size_t count = 0;
	enum rc rc = RC_OK;

	if (rule->pattern[0] != '\0')
		return fault_tell(fault, RC_BAD_INPUT, "BadRule", "names",
			"A rule has either a pattern or names.");
	while (rc == RC_OK && rule->names[count] != NULL)
		rc = check_object(rule->names[count++], "names", fault);
	if (rc == RC_OK && (count == 0 || count > POLICY_RULE_NAMES_MAX))
		rc = fault_tell(fault, RC_BAD_INPUT, "BadRule", "names",
			"A rule has 1 to %d names.", POLICY_RULE_NAMES_MAX);
	return rc;
}

/* A grid is configured and administered as a whole. */
static enum rc
check_rule(const struct policy_rule *rule, struct fault *fault)
{
	enum rc rc = rule->names != NULL
			     ? check_names(rule, fault)
			     : check_object(rule->pattern, "pattern", fault);

	if (rc != RC_OK)
		return rc;
	if (rule->actions == 0 || rule->actions > POLICY_EVERY)
		return fault_tell(fault, RC_BAD_INPUT, "BadRule", "rights",
			"No right is named.");
	if ((rule->actions & POLICY_ADMINISTER) != 0 &&
		(rule->datasource_id != 0 || strcmp(rule->pattern, "*") != 0))
		return fault_tell(fault, RC_BAD_INPUT, "BadRule", "rights",
			"Administer is a right to the whole grid: give it "
			"for every datasource and the pattern \"*\".");
	if (strlen(rule->description) > POLICY_RULE_DESCRIPTION_BYTES)
		return fault_tell(fault, RC_BAD_INPUT, "BadRule", "description",
			"A description has at most %d bytes.",
			POLICY_RULE_DESCRIPTION_BYTES);
	return RC_OK;
}

/* Everyone is whoever happens to be in. */
static enum rc
refuse_for_everyone(struct fault *fault)
{
	return fault_tell(fault, RC_BAD_INPUT, "BadRule", "rights",
		"Administer is not for everyone, and not for a role that "
		"everyone holds.");
}

static enum rc
check_subject(struct db *db, struct arena *arena,
	const struct policy_rule *rule, struct fault *fault)
{
	bool administers =
		!rule->deny && (rule->actions & POLICY_ADMINISTER) != 0;
	struct rows *rows = NULL;
	enum rc rc;

	if (administers && strcmp(rule->subject.kind, "everyone") == 0)
		return refuse_for_everyone(fault);
	if (strcmp(rule->subject.kind, "role") != 0)
		return RC_OK;
	rc = db_find(db, arena, &policy_rule_stmts[STMT_BUILT_IN],
		PARAMS(P_SHORT(rule->subject.id)), &rows, fault);
	if (rc == RC_OK && rows_bool(rows, 0, 0))
		return fault_tell(fault, RC_DENIED, "BuiltIn", NULL,
			"The ready-made roles stay as they are; make a role of "
			"your own.");
	if (rc == RC_OK && administers && rows_bool(rows, 0, 1))
		return refuse_for_everyone(fault);
	return rc;
}

static struct param
names_param(const char *const *names)
{
	size_t count = 0;

	if (names == NULL)
		return P_NULL('T');
	while (names[count] != NULL)
		count++;
	return P_TEXTS(names, count);
}

static const char *
text_or_none(const char *text)
{
	return text != NULL ? text : "";
}

enum rc
policy_rule_create(struct db *db, struct arena *arena,
	const struct policy_rule *rule, const char **id, struct fault *fault)
{
	struct policy_rule full = *rule;
	struct rows *rows = NULL;
	enum rc rc;

	full.pattern = text_or_none(rule->pattern);
	full.description = text_or_none(rule->description);
	rc = check_rule(&full, fault);
	if (rc == RC_OK)
		rc = check_subject(db, arena, &full, fault);
	if (rc == RC_OK)
		rc = db_find(db, arena, &policy_rule_stmts[STMT_CREATE],
			PARAMS(P_TEXT(full.subject.kind),
				P_SHORT(full.subject.id),
				P_SHORT(full.datasource_id),
				P_TEXT(full.pattern), names_param(full.names),
				P_SHORT(full.actions), P_BOOL(full.deny),
				P_TEXT(full.description)),
			&rows, fault);
	if (rc == RC_OK && id != NULL)
		*id = rows_text(rows, 0, 0);
	return rc;
}

enum rc
policy_rule_find(struct db *db, struct arena *arena, const char *id,
	struct policy_rule *rule, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &policy_rule_stmts[STMT_FIND],
		PARAMS(P_TEXT(id)), &rows, fault);

	if (rc == RC_OK)
		from_row(arena, rows, 0, rule);
	else if (rc == RC_NOT_FOUND)
		rc = fault_tell(
			fault, rc, "NotFound", NULL, "There is no such rule.");
	return rc;
}

enum rc
policy_rule_change(struct db *db, struct arena *arena,
	const struct policy_rule *rule, struct fault *fault)
{
	enum rc rc = check_rule(rule, fault);

	if (rc == RC_OK)
		rc = check_subject(db, arena, rule, fault);
	if (rc != RC_OK)
		return rc;
	return db_exec(db, &policy_rule_stmts[STMT_CHANGE],
		PARAMS(P_TEXT(rule->id), P_SHORT(rule->datasource_id),
			P_TEXT(rule->pattern), names_param(rule->names),
			P_SHORT(rule->actions), P_BOOL(rule->deny),
			P_TEXT(rule->description)),
		NULL, fault);
}

enum rc
policy_rule_delete(
	struct db *db, struct arena *arena, const char *id, struct fault *fault)
{
	struct policy_rule rule;
	enum rc rc = policy_rule_find(db, arena, id, &rule, fault);

	rule.deny = true; /* what goes gives nobody a right */
	if (rc == RC_OK)
		rc = check_subject(db, arena, &rule, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &policy_rule_stmts[STMT_DELETE],
			PARAMS(P_TEXT(id)), NULL, fault);
	return rc;
}

enum rc
policy_rule_clear(struct db *db, const struct policy_subject *subject,
	int64_t datasource_id, int64_t *removed, struct fault *fault)
{
	return db_exec(db, &policy_rule_stmts[STMT_CLEAR],
		PARAMS(P_TEXT(subject->kind), P_SHORT(subject->id),
			P_SHORT(datasource_id)),
		removed, fault);
}

enum rc
policy_rule_slice(struct db *db, struct arena *arena,
	const struct policy_rule_filter *filter, struct slice *slice,
	struct policy_rule_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &policy_rule_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->subject_kind),
			P_TEXT(filter->subject), P_TEXT(filter->datasource),
			P_TEXT(filter->effect), P_TEXT(filter->search)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, 12);
	list->items = arena_array(arena, list->count, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		from_row(arena, rows, i, &list->items[i]);
	return RC_OK;
}
