/* alarm_wish: what somebody wants to be done with alarms. */

#include "model/alarm_wish.h"

#include <string.h>

enum { STMT_CAUSE };

const struct stmt alarm_wish_stmts[] = {
	/* How deep the path leads, and is anything on it removed?
	 * $1 datasource $2 names */
	[STMT_CAUSE] = {"alarm_wish_cause", "iT",
		"WITH RECURSIVE walk AS ("
		"  SELECT id, 1 AS level, removed FROM alarm_cause"
		"   WHERE datasource_id = $1 AND parent_id IS NULL"
		"     AND name = ($2::text[])[1]"
		"   UNION ALL"
		"  SELECT below.id, walk.level + 1"
		"       , walk.removed OR below.removed"
		"    FROM walk"
		"    JOIN alarm_cause AS below ON below.parent_id = walk.id"
		"     AND below.name = ($2::text[])[walk.level + 1])"
		" SELECT coalesce(max(level), 0), coalesce(bool_or(removed)"
		"     , false)"
		"  FROM walk"},
	STMT_END,
};

static enum rc
check_text(
	const char *text, size_t bytes, const char *field, struct fault *fault)
{
	if (text == NULL || (text[0] != '\0' && strlen(text) <= bytes))
		return RC_OK;
	return fault_tell(fault, RC_BAD_INPUT, "BadRequest", field,
		"\"%s\" must have 1 to %zu bytes.", field, bytes);
}

static bool
wants_nothing(const struct alarm_wish *wish)
{
	return !wish->acknowledge && wish->comment == NULL &&
	       wish->cause.items == NULL && wish->shelve == NULL &&
	       wish->suppress == NULL && wish->out_of_service == NULL &&
	       !wish->unshelve && !wish->release && !wish->in_service;
}

static enum rc
check_form(const struct alarm_wish *wish, int64_t now_us, struct fault *fault)
{
	if (wants_nothing(wish))
		return fault_tell(fault, RC_BAD_INPUT, "NothingToDo", NULL,
			"Say what is to be done: acknowledge, comment, "
			"alarmCause, shelve, unshelve, suppress, release, "
			"outOfService or inService.");
	if ((wish->shelve != NULL && wish->unshelve) ||
		(wish->suppress != NULL && wish->release) ||
		(wish->out_of_service != NULL && wish->in_service))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest", NULL,
			"A thing and its opposite cannot be done at once.");
	if (wish->shelve != NULL &&
		(wish->shelve_until_us <= now_us ||
			wish->shelve_until_us > now_us + ALARM_SHELVE_MAX_US))
		return fault_tell(fault, RC_BAD_INPUT, "BadRequest",
			"shelve.until",
			"\"shelve.until\" must lie ahead, at most a year.");
	return RC_OK;
}

static enum rc
check_cause(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct texts *cause, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc;

	if (cause->count == 0)
		return RC_OK;
	rc = db_find(db, arena, &alarm_wish_stmts[STMT_CAUSE],
		PARAMS(P_INT(datasource_id),
			P_TEXTS(cause->items, cause->count)),
		&rows, fault);
	if (rc != RC_OK)
		return rc;
	if (rows_int(rows, 0, 0) != (int64_t)cause->count)
		return fault_tell(fault, RC_UNPROCESSABLE, "CauseUnknown",
			"alarmCause", "There is no such cause in the tree.");
	if (rows_bool(rows, 0, 1))
		return fault_tell(fault, RC_UNPROCESSABLE, "CauseRemoved",
			"alarmCause",
			"This cause was removed and cannot be chosen.");
	return RC_OK;
}

enum rc
alarm_wish_check(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct alarm_wish *wish, int64_t now_us, struct fault *fault)
{
	enum rc rc = check_form(wish, now_us, fault);

	if (rc == RC_OK)
		rc = check_text(
			wish->comment, ALARM_COMMENT_BYTES, "comment", fault);
	if (rc == RC_OK)
		rc = check_text(wish->shelve, ALARM_REASON_BYTES,
			"shelve.reason", fault);
	if (rc == RC_OK)
		rc = check_text(wish->suppress, ALARM_REASON_BYTES,
			"suppress.reason", fault);
	if (rc == RC_OK)
		rc = check_text(wish->out_of_service, ALARM_REASON_BYTES,
			"outOfService.reason", fault);
	if (rc == RC_OK)
		rc = check_cause(db, arena, datasource_id, &wish->cause, fault);
	return rc;
}
