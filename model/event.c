/* event: one entry of the Chronological Event List. */

#include "model/event.h"

#include <string.h>

#include "model/variable.h"

enum { EVENT_QUERY, EVENT_APPEND };

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
	[EVENT_APPEND] = {"event_append", "iiiINTTT",
		"INSERT INTO event (datasource_id, node_id, sequence, ordinal"
		"     , time_us, variable_id, kind, text, value)"
		" SELECT $1, $2, $3, (place - 1)::integer, time_us"
		"     , nullif(variable_id, 0), kind, text, value"
		"  FROM unnest($4, $5, $6, $7, $8) WITH ORDINALITY"
		"    AS put (time_us, variable_id, kind, text, value, place)"
		" ON CONFLICT (node_id, sequence, ordinal) DO NOTHING"},
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

enum rc
event_append(struct db *db, struct arena *arena, int64_t datasource_id,
	int64_t node_id, int64_t sequence, const struct event *events,
	size_t count, struct fault *fault)
{
	int64_t *times = arena_array(arena, count + 1, sizeof(*times));
	int32_t *variables = arena_array(arena, count + 1, sizeof(*variables));
	const char **kinds = arena_array(arena, count + 1, sizeof(*kinds));
	const char **texts = arena_array(arena, count + 1, sizeof(*texts));
	const char **values = arena_array(arena, count + 1, sizeof(*values));

	for (size_t i = 0; i < count; i++) {
		times[i] = events[i].time_us;
		variables[i] = events[i].variable_id;
		kinds[i] = events[i].kind;
		texts[i] = events[i].text;
		values[i] = events[i].value;
	}
	return db_exec(db, &event_stmts[EVENT_APPEND],
		PARAMS(P_INT(datasource_id), P_INT(node_id), P_INT(sequence),
			P_INTS(times, count), P_SHORTS(variables, count),
			P_TEXTS(kinds, count), P_TEXTS(texts, count),
			P_TEXTS(values, count)),
		NULL, fault);
}
