/* logout_notice: clients that have to hear that a session has ended. */

#include "model/logout_notice.h"

#include <string.h>

enum { STMT_TAKE, STMT_DONE };

const struct stmt logout_notice_stmts[] = {
	/* 5 s, 15 s, 45 s ... at most an hour */
	[STMT_TAKE] = {"logout_notice_take", "",
		"WITH due AS"
		" (SELECT id FROM logout_notice WHERE due_at <= now()"
		"   ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
		" UPDATE logout_notice AS notice"
		"    SET tries = tries + 1"
		"      , due_at = now() + interval '1 second' *"
		"            least(3600, 5 * 3 ^ least(tries, 10))"
		"   FROM due, client"
		"  WHERE notice.id = due.id"
		"    AND client.id = notice.client_id"
		" RETURNING notice.id"
		"     , client.client_id"
		"     , coalesce(client.backchannel_logout_uri, '')"
		"     , client.algorithm"
		"     , notice.subject"
		"     , notice.sid"
		"     , notice.tries"
		"     , notice.created_at < now() - interval '1 day'"},
	[STMT_DONE] = {"logout_notice_done", "i",
		"DELETE FROM logout_notice WHERE id = $1"},
	STMT_END,
};

enum rc
logout_notice_take(struct db *db, struct arena *arena,
	struct logout_notice *notice, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &logout_notice_stmts[STMT_TAKE],
		NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	notice->id = rows_int(rows, 0, 0);
	notice->client_id = rows_text(rows, 0, 1);
	notice->uri = rows_text(rows, 0, 2);
	notice->algorithm = rows_text(rows, 0, 3);
	memcpy(notice->subject, rows_uuid(rows, 0, 4), UUID_BYTES);
	memcpy(notice->sid, rows_uuid(rows, 0, 5), UUID_BYTES);
	notice->tries = rows_int(rows, 0, 6);
	notice->last = rows_bool(rows, 0, 7);
	return RC_OK;
}

enum rc
logout_notice_done(
	struct db *db, const struct logout_notice *notice, struct fault *fault)
{
	return db_exec(db, &logout_notice_stmts[STMT_DONE],
		PARAMS(P_INT(notice->id)), NULL, fault);
}
