/* event_follow: events in the order in which they can be followed. */

#include "model/event_follow.h"

#include <stdlib.h>

enum { FOLLOW };

const struct stmt event_follow_stmts[] = {
	/* $1 since $2 until or NULL $3 behind xid $4 and id $5 datasources or
	 * NULL $6 limit: a row even when there is nothing */
	[FOLLOW] = {"event_follow", "tttiNi",
		"SELECT now.text"
		"     , e.xid::text"
		"     , e.id, e.time_us, e.datasource_id, e.variable_id"
		"     , v.name, e.kind, e.text, e.value, e.old_value"
		"     , e.username, e.full_name, coalesce(e.computer, n.name)"
		"     , e.comment, e.class_number, e.group_number, e.about"
		"  FROM feed_snapshot() AS now (text)"
		"  LEFT JOIN (SELECT * FROM event"
		"         WHERE xid >= pg_snapshot_xmin($1::pg_snapshot)"
		"           AND NOT pg_visible_in_snapshot(xid"
		"                 , $1::pg_snapshot)"
		"           AND ($2::text IS NULL OR pg_visible_in_snapshot(xid"
		"                 , $2::pg_snapshot))"
		"           AND (xid, id) > ($3::text::xid8, $4)"
		"           AND ($5::integer[] IS NULL"
		"                OR datasource_id = ANY ($5))"
		"         ORDER BY xid, id LIMIT $6) AS e ON true"
		"  LEFT JOIN variable v ON v.id = e.variable_id"
		"  LEFT JOIN node n ON n.id = e.node_id"
		" ORDER BY e.xid, e.id"},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct event_seen *seen)
{
	seen->xid = rows_text(rows, row, 1);
	seen->event = (struct event){
		.id = rows_int(rows, row, 2),
		.time_us = rows_int(rows, row, 3),
		.datasource_id = rows_int(rows, row, 4),
		.variable_id = (int32_t)rows_int(rows, row, 5),
		.variable = rows_text(rows, row, 6),
		.kind = rows_text(rows, row, 7),
		.text = rows_text(rows, row, 8),
		.value = rows_text(rows, row, 9),
		.old_value = rows_text(rows, row, 10),
		.username = rows_text(rows, row, 11),
		.full_name = rows_text(rows, row, 12),
		.computer = rows_text(rows, row, 13),
		.comment = rows_text(rows, row, 14),
		.class_number = rows_int(rows, row, 15),
		.group_number = rows_int(rows, row, 16),
		.about = rows_uuid(rows, row, 17),
	};
}

enum rc
event_follow(struct db *db, struct arena *arena, const struct feed_look *look,
	const int32_t *datasources, size_t count, int64_t limit,
	struct event_seen **events, size_t *found, const char **now,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &event_follow_stmts[FOLLOW],
		PARAMS(P_TEXT(feed_look_since(look)),
			P_TEXT(look->until[0] != '\0' ? look->until : NULL),
			P_TEXT(look->xid), P_INT(strtoll(look->id, NULL, 10)),
			datasources == NULL ? P_NULL('N')
					    : P_SHORTS(datasources, count),
			P_INT(look->since != NULL ? limit : 0)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	*now = rows_text(rows, 0, 0);
	*found = rows_null(rows, 0, 1) ? 0 : rows_count(rows);
	*events = arena_array(arena, *found, sizeof(**events));
	for (size_t i = 0; i < *found; i++)
		from_row(rows, i, &(*events)[i]);
	return RC_OK;
}
