/* event: one entry of the Chronological Event List. */

#include "model/event.h"

#include <string.h>

#include "model/variable.h"

enum { EVENT_QUERY };

const struct stmt event_stmts[] = {
	/* $1 datasource $2 from $3 to $4 variables $5 those of no variable too
	 * $6 limit */
	[EVENT_QUERY] = {"event_query", "iiiNoi",
		"SELECT e.id, e.time_us, e.variable_id, v.name"
		"     , e.kind, e.text, e.value"
		"     , e.username, coalesce(e.computer, n.name)"
		"  FROM event e"
		"  LEFT JOIN variable v ON v.id = e.variable_id"
		"  LEFT JOIN node n ON n.id = e.node_id"
		" WHERE e.datasource_id = $1"
		"   AND e.time_us BETWEEN $2 AND $3"
		"   AND (e.variable_id = ANY ($4)"
		"        OR ($5 AND e.variable_id IS NULL))"
		" ORDER BY e.time_us, e.id LIMIT $6"},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct event *event)
{
	event->id = rows_int(rows, row, 0);
	event->time_us = rows_int(rows, row, 1);
	event->variable_id = (int32_t)rows_int(rows, row, 2);
	event->variable = rows_text(rows, row, 3);
	event->kind = rows_text(rows, row, 4);
	event->text = rows_text(rows, row, 5);
	event->value = rows_text(rows, row, 6);
	event->username = rows_text(rows, row, 7);
	event->computer = rows_text(rows, row, 8);
}

enum rc
event_query(struct db *db, struct arena *arena,
	const struct event_filter *filter, struct event_list *list,
	struct fault *fault)
{
	struct event *items;
	struct rows *rows;
	enum rc rc;

	rc = db_query(db, arena, &event_stmts[EVENT_QUERY],
		PARAMS(P_INT(filter->datasource_id), P_INT(filter->from_us),
			P_INT(filter->to_us),
			P_SHORTS(filter->variable_ids, filter->count),
			P_BOOL(filter->others), P_INT(filter->limit)),
		&rows, fault);
	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	items = arena_array(arena, list->count + 1, sizeof(*items));
	for (size_t i = 0; i < list->count; i++)
		from_row(rows, i, &items[i]);
	list->items = items;
	return RC_OK;
}
