/* retention: alarms, events and commands go when they are old enough. */

#include "model/retention.h"

#include <stdio.h>

#include "lib/clock.h"

/* Looked at in a step. */
#define ROWS 1000

enum { NEXT = RETENTION_KINDS };

/* $1 datasource $2 before $3 stored before $4 after $5 its key $6 rows */
#define RETAIN(name, function)                                                 \
	{                                                                      \
		name, "iiziti",                                                \
			"SELECT looked, deleted, last_us, last FROM " function \
			" ($1::integer, $2, $3, $4, $5, $6::integer)"          \
	}

const struct stmt retention_stmts[] = {
	[RETENTION_ALARMS] = RETAIN("retention_alarms", "alarm_retain"),
	[RETENTION_EVENTS] = RETAIN("retention_events", "event_retain"),
	[RETENTION_COMMANDS] = RETAIN("retention_commands", "command_retain"),
	[NEXT] = {"retention_next", "i", /* $1 datasource */
		"SELECT min(id) FROM datasource WHERE id > $1"},
	STMT_END,
};

static void
start(struct retention *retention, int64_t datasource_id)
{
	retention->datasource_id = datasource_id;
	retention->after_us = INT64_MIN;
	retention->after[0] = '\0';
}

static enum rc
delete_some(struct db *db, struct arena *arena, struct retention *retention,
	int64_t now_us, bool *more, struct fault *fault)
{
	int64_t before_us =
		now_us - retention->days[retention->kind] * CLOCK_DAY_US;
	int64_t held_us = now_us - retention->hold_us;
	bool first = retention->after[0] == '\0';
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &retention_stmts[retention->kind],
		PARAMS(P_INT(retention->datasource_id), P_INT(before_us),
			P_TIME(before_us < held_us ? before_us : held_us),
			P_INT(first ? INT64_MIN : retention->after_us),
			P_TEXT(first ? NULL : retention->after), P_INT(ROWS)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	retention->deleted[retention->kind] += rows_int(rows, 0, 1);
	*more = rows_int(rows, 0, 0) == ROWS;
	if (*more) {
		retention->after_us = rows_int(rows, 0, 2);
		snprintf(retention->after, sizeof(retention->after), "%s",
			rows_text(rows, 0, 3));
	}
	return RC_OK;
}

/* The next datasource, or the next kind. */
static enum rc
move_on(struct db *db, struct arena *arena, struct retention *retention,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &retention_stmts[NEXT],
		PARAMS(P_INT(retention->datasource_id)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	if (!rows_null(rows, 0, 0)) {
		start(retention, rows_int(rows, 0, 0));
	} else {
		retention->kind++;
		start(retention, 0);
	}
	return RC_OK;
}

enum rc
retention_step(struct db *db, struct arena *arena, struct retention *retention,
	int64_t now_us, bool *over, struct fault *fault)
{
	bool more = false;
	enum rc rc = RC_OK;

	while (retention->kind < RETENTION_KINDS &&
		retention->days[retention->kind] == 0)
		retention->kind++;
	*over = retention->kind == RETENTION_KINDS;
	if (*over) {
		retention->kind = RETENTION_ALARMS;
		start(retention, 0);
		return RC_OK;
	}
	rc = delete_some(db, arena, retention, now_us, &more, fault);
	return rc == RC_OK && !more ? move_on(db, arena, retention, fault) : rc;
}
