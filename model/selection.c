/* selection: who alone may write a variable for a moment. */

#include "model/selection.h"

#include <string.h>

/* Of a selection "s": it lasts, on the clock of the machine that made it if
 * this is the one. */
#define LASTS(boot, now)                                                       \
	"CASE WHEN s.boot = " boot " THEN s.expires_us > " now                 \
	" ELSE s.expires_at > clock_timestamp() END"

enum { MAKE, HOLDER, DROP, TAKE, REQUIRE };

const struct stmt selection_stmts[] = {
	/* $1 variable $2 id $3 subject $4 actor $5 boot $6 expiry $7 now */
	[MAKE] = {"selection_make", "nuttuii",
		"INSERT INTO selection AS s (variable_id, id, subject, actor"
		"     , boot, expires_us, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()"
		"     + ($6 - $7) * interval '1 microsecond')"
		" ON CONFLICT (variable_id) DO UPDATE"
		"   SET id = $2, subject = $3, actor = $4, boot = $5"
		"     , expires_us = $6, expires_at = excluded.expires_at"
		"     , created_at = now()"
		" WHERE s.subject = $3 OR NOT " LASTS("$5", "$7")},
	/* $1 variable $2 boot $3 now */
	[HOLDER] = {"selection_holder", "nui",
		"SELECT subject, actor FROM selection s"
		" WHERE variable_id = $1 AND " LASTS("$2", "$3")},
	/* $1 id $2 subject */
	[DROP] = {"selection_drop", "ut",
		"DELETE FROM selection WHERE id = $1 AND subject = $2"},
	/* $1 id $2 subject $3 variable $4 boot $5 now */
	[TAKE] = {"selection_take", "utnui",
		"DELETE FROM selection s"
		" WHERE id = $1 AND subject = $2 AND variable_id = $3"
		"   AND " LASTS("$4", "$5")},
	/* $1 variable $2 required */
	[REQUIRE] = {"selection_require", "no",
		"UPDATE variable SET select_first = $2 WHERE id = $1"},
	STMT_END,
};

static enum rc
by_another(const struct rows *holder, struct fault *fault)
{
	return fault_tell(fault, RC_CONFLICT, "SelectedByAnother", NULL,
		"The variable is selected by %.100s.", rows_text(holder, 0, 1));
}

static enum rc
find_holder(struct db *db, struct arena *arena, int32_t variable_id,
	const struct command_clock *clock, struct rows **rows,
	struct fault *fault)
{
	return db_query(db, arena, &selection_stmts[HOLDER],
		PARAMS(P_SHORT(variable_id), P_UUID(clock->boot),
			P_INT(clock->now_us)),
		rows, fault);
}

enum rc
selection_make(struct db *db, struct arena *arena,
	const struct command_clock *clock, const struct selection *selection,
	struct fault *fault)
{
	struct rows *holder = NULL;
	int64_t made = 0;
	enum rc rc = db_exec(db, &selection_stmts[MAKE],
		PARAMS(P_SHORT(selection->variable_id), P_UUID(selection->id),
			P_TEXT(selection->subject), P_TEXT(selection->actor),
			P_UUID(clock->boot), P_INT(selection->expires_us),
			P_INT(clock->now_us)),
		&made, fault);

	if (rc != RC_OK || made == 1)
		return rc;
	rc = find_holder(
		db, arena, selection->variable_id, clock, &holder, fault);
	if (rc != RC_OK)
		return rc;
	if (rows_count(holder) == 0) /* it ended at this moment */
		return fault_set(fault, RC_RETRY, "a selection ended");
	return by_another(holder, fault);
}

enum rc
selection_drop(struct db *db, const uint8_t id[UUID_BYTES], const char *subject,
	struct fault *fault)
{
	int64_t dropped = 0;
	enum rc rc = db_exec(db, &selection_stmts[DROP],
		PARAMS(P_UUID(id), P_TEXT(subject)), &dropped, fault);

	if (rc == RC_OK && dropped == 0)
		return fault_tell(fault, RC_NOT_FOUND, "SelectionNotFound",
			NULL, "You have no such selection, or it has ended.");
	return rc;
}

static enum rc
take_shown(struct db *db, const struct command_clock *clock,
	const struct selection_use *use, struct fault *fault)
{
	int64_t taken = 0;
	enum rc rc = db_exec(db, &selection_stmts[TAKE],
		PARAMS(P_UUID(use->id), P_TEXT(use->subject),
			P_SHORT(use->variable_id), P_UUID(clock->boot),
			P_INT(clock->now_us)),
		&taken, fault);

	if (rc == RC_OK && taken == 0)
		return fault_tell(fault, RC_CONFLICT, "SelectionEnded",
			"selection",
			"You have no such selection, or it has ended.");
	return rc;
}

enum rc
selection_take(struct db *db, struct arena *arena,
	const struct command_clock *clock, const struct selection_use *use,
	struct fault *fault)
{
	struct rows *holder = NULL;
	enum rc rc;

	if (use->id != NULL)
		return take_shown(db, clock, use, fault);
	if (use->required)
		return fault_tell(fault, RC_CONFLICT, "SelectionRequired",
			"selection",
			"This variable has to be selected before it is "
			"written.");
	rc = find_holder(db, arena, use->variable_id, clock, &holder, fault);
	if (rc != RC_OK || rows_count(holder) == 0 ||
		strcmp(rows_text(holder, 0, 0), use->subject) == 0)
		return rc;
	return by_another(holder, fault);
}

enum rc
selection_require(
	struct db *db, int32_t variable_id, bool required, struct fault *fault)
{
	return db_exec(db, &selection_stmts[REQUIRE],
		PARAMS(P_SHORT(variable_id), P_BOOL(required)), NULL, fault);
}
