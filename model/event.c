/* event: one entry of the Chronological Event List. */

#include "model/event.h"

#include <string.h>

#include "model/variable.h"

enum { EVENT_QUERY, EVENT_QUERY_DOWN };

#define COLUMNS                                                                \
	" e.id, e.time_us, e.datasource_id, e.variable_id, v.name"             \
	", e.kind, e.text, e.value, e.old_value, e.username, e.full_name"      \
	", coalesce(e.computer, n.name), e.comment, e.class_number"            \
	", e.group_number, e.about "

#define JOINS                                                                  \
	"  LEFT JOIN variable AS v ON v.id = e.variable_id"                    \
	"  LEFT JOIN node AS n ON n.id = e.node_id"

/* One list walks its index until the page is full. */
#define WALK(list, direction, beyond)                                          \
	"(SELECT e.* FROM event AS e"                                          \
	"  WHERE " list "    AND e.time_us BETWEEN $2 AND $3"                  \
	"    AND (e.time_us, e.id) " beyond " ($12, $13)"                      \
	"    AND ($4::integer[] IS NULL OR e.variable_id = ANY ($4)"           \
	"         OR e.variable_id IS NULL)"                                   \
	"    AND CASE WHEN e.variable_id IS NULL THEN $5"                      \
	"        ELSE EXISTS (SELECT FROM variable AS v"                       \
	"                      WHERE v.id = e.variable_id"                     \
	"                        AND v.access > 0) END"                        \
	"    AND ($7::text[] IS NULL OR e.kind LIKE ANY ($7))"                 \
	"    AND ($8::integer[] IS NULL OR e.class_number = ANY ($8))"         \
	"    AND ($9::integer[] IS NULL OR e.group_number = ANY ($9))"         \
	"    AND ($10::text[] IS NULL OR e.username ILIKE ANY ($10)"           \
	"         OR e.full_name ILIKE ANY ($10))"                             \
	"    AND ($11::text IS NULL OR e.text ILIKE $11"                       \
	"         OR e.comment ILIKE $11)"                                     \
	"  ORDER BY e.time_us " direction ", e.id " direction " LIMIT $14)"

/* $1 datasource $2 from $3 to $4 variables $5 those of no variable too $6 those
 * of the grid too $7 kinds $8 classes $9 groups $10 users $11 text, as LIKE has
 * them; $12 $13 time and id of the last one seen $14 limit */
#define QUERY_TYPES "iiiNooTNNTtiii"
#define QUERY(direction, beyond)                                               \
	"SELECT " COLUMNS "  FROM (SELECT * FROM ("                            \
	"  " WALK("e.datasource_id = $1", direction,                           \
		beyond) "  UNION ALL "                                         \
			"  " WALK("$6 AND e.datasource_id IS NULL", direction, \
				beyond) ") AS e"                               \
					" ORDER BY e.time_us " direction       \
					", e.id " direction                    \
					" LIMIT $14) AS e" JOINS               \
					" ORDER BY e.time_us " direction       \
					", e.id " direction

const struct stmt event_stmts[] = {
	[EVENT_QUERY] = {"event_query", QUERY_TYPES, QUERY("ASC", ">")},
	[EVENT_QUERY_DOWN] = {"event_query_down", QUERY_TYPES,
		QUERY("DESC", "<")},
	STMT_END,
};

static void
from_row(const struct rows *rows, size_t row, struct event *event)
{
	event->id = rows_int(rows, row, 0);
	event->time_us = rows_int(rows, row, 1);
	event->datasource_id = rows_int(rows, row, 2);
	event->variable_id = (int32_t)rows_int(rows, row, 3);
	event->variable = rows_text(rows, row, 4);
	event->kind = rows_text(rows, row, 5);
	event->text = rows_text(rows, row, 6);
	event->value = rows_text(rows, row, 7);
	event->old_value = rows_text(rows, row, 8);
	event->username = rows_text(rows, row, 9);
	event->full_name = rows_text(rows, row, 10);
	event->computer = rows_text(rows, row, 11);
	event->comment = rows_text(rows, row, 12);
	event->class_number = rows_int(rows, row, 13);
	event->group_number = rows_int(rows, row, 14);
	event->about = rows_uuid(rows, row, 15);
}

static void
take(struct arena *arena, const struct rows *rows, size_t count,
	struct event_list *list)
{
	struct event *items = arena_array(arena, count + 1, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		from_row(rows, i, &items[i]);
	*list = (struct event_list){count, items};
}

/* A list that is not given is NULL. */
static struct param
numbers(const struct ints *list)
{
	return list->items != NULL ? P_SHORTS(list->items, list->count)
				   : P_NULL('N');
}

static struct param
patterns(struct arena *arena, const struct texts *list)
{
	return list->items != NULL ? P_TEXTS(variable_like_patterns(arena,
						     list->items, list->count),
					     list->count)
				   : P_NULL('T');
}

/* Where the text is, before and behind anything. */
static const char *
somewhere(struct arena *arena, const char *text)
{
	return text != NULL
		       ? arena_printf(arena, "%%%s%%",
				 variable_like_patterns(arena, &text, 1)[0])
		       : NULL;
}

enum rc
event_query(struct db *db, struct arena *arena,
	const struct event_filter *filter, struct event_page *page,
	struct fault *fault)
{
	bool down = filter->descending;
	bool begun = filter->after_id != 0;
	struct rows *rows;
	size_t count;
	enum rc rc = db_query(db, arena,
		&event_stmts[down ? EVENT_QUERY_DOWN : EVENT_QUERY],
		PARAMS(P_INT(filter->datasource_id), P_INT(filter->from_us),
			P_INT(filter->to_us), numbers(&filter->variables),
			P_BOOL(filter->others),
			P_BOOL(filter->others && filter->grid),
			patterns(arena, &filter->kinds),
			numbers(&filter->classes), numbers(&filter->groups),
			patterns(arena, &filter->users),
			P_TEXT(somewhere(arena, filter->text)),
			P_INT(begun    ? filter->after_us
				: down ? INT64_MAX
				       : INT64_MIN),
			P_INT(begun ? filter->after_id : 0),
			P_INT(filter->limit + 1)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	count = rows_count(rows);
	page->more = count > (size_t)filter->limit;
	take(arena, rows, page->more ? (size_t)filter->limit : count,
		&page->list);
	return RC_OK;
}
