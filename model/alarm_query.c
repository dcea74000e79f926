/* alarm_query: entries of the Alarm Message List, page by page. */

#include "model/alarm_row.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

/* Of a choice of rows: by the time received, by urgency, in another order. */
#define STATEMENTS(choice)                                                     \
	choice, choice##_DOWN, choice##_URGENT, choice##_URGENT_DOWN,          \
		choice##_SORTED

enum {
	STATEMENTS(STMT_ALL),
	STATEMENTS(STMT_ACTIVE),
	STATEMENTS(STMT_UNACKNOWLEDGED),
	STATEMENTS(STMT_STANDING),
	STMT_FIND,
	STMT_TURN,
	STMT_LOCK,
	STMT_FOLLOW,
};

/* One bit for each. */
#define ALL_STATES ((1U << ALARM_STATE_COUNT) - 1)

/* $1 datasource $2 from $3 to $4 variables $5 active $6 cleared
 * $7 unacknowledged $8 classes $9 groups $10 priorities $11 areas $12 states
 * $13 now $14 text as LIKE has it $15 limit */
#define FILTER_TYPES "iiiNoooNNNTNiti"
#define RANGE        "a.came_us BETWEEN $2 AND $3"
#define FILTER                                                                 \
	" WHERE a.datasource_id = $1"                                          \
	"   AND ($4::integer[] IS NULL OR a.variable_id = ANY ($4))"

/* What no index knows, and "more". As one CASE it counts as true for every
 * second row: of a plan that is kept for all calls the planner could only
 * guess that nearly none is left, and would sort rather than walk an index. */
#define FITS(more)                                                             \
	"   AND CASE WHEN " more                                               \
	"(SELECT access FROM variable WHERE id = a.variable_id) > 0"           \
	"   AND (NOT $5 OR a.went_us IS NULL)"                                 \
	"   AND (NOT $6 OR a.went_us IS NOT NULL)"                             \
	"   AND (NOT $7 OR a.acknowledged_us IS NULL)"                         \
	"   AND ($8::integer[] IS NULL OR a.class_number = ANY ($8))"          \
	"   AND ($9::integer[] IS NULL OR a.group_number = ANY ($9))"          \
	"   AND ($10::integer[] IS NULL OR a.priority = ANY ($10))"            \
	"   AND ($11::text[] IS NULL OR a.areas && $11)"                       \
	"   AND ($12::integer[] IS NULL OR alarm_state(a, $13) = ANY ($12))"   \
	"   AND ($14::text IS NULL OR a.text ILIKE $14)"                       \
	"   THEN true ELSE false END"

/* By the time received an index knows the range as well. */
#define IN_TIME FILTER " AND " RANGE FITS("")
#define IN_ALL  FILTER FITS(RANGE " AND ")

/* These choices have an index each. */
#define ACTIVE         " AND a.went_us IS NULL"
#define UNACKNOWLEDGED " AND a.acknowledged_us IS NULL"
#define STANDING       " AND a.open"

/* The lower, the more urgent; of equal priority the later one. Index
 * alarm_urgent has the same words. */
#define URGENCY "((a.priority::bigint << 52) - a.came_us)"

/* The page is cut off before anything is joined to it. $16 after $17 its id */
#define WALK(name, filter, place, direction, beyond)                           \
	{                                                                      \
		"alarm_" name, FILTER_TYPES "iu",                              \
			"SELECT " place "::text," ALARM_COLUMNS                \
			"  FROM (SELECT a.* FROM alarm AS a" filter            \
			"           AND ($16::bigint IS NULL"                  \
			"               OR (" place ", a.id) " beyond          \
			" ($16, $17))"                                         \
			" ORDER BY " place " " direction ", a.id " direction   \
			" LIMIT $15) AS a" ALARM_JOINS " ORDER BY " place      \
			" " direction ", a.id " direction                      \
	}

/* Where a row stands in the order $18, as text that sorts so; a time that has
 * not come stands before all others. */
#define PLACE                                                                  \
	" CASE $18"                                                            \
	" WHEN 'clearedTime'"                                                  \
	" THEN to_char(coalesce(a.went_us, 0), 'FM0000000000000000000')"       \
	" WHEN 'acknowledgedTime'"                                             \
	" THEN to_char(coalesce(a.acknowledged_us, 0)"                         \
	"            , 'FM0000000000000000000')"                               \
	" WHEN 'alarmClass' THEN to_char(a.class_number, 'FM0000000000')"      \
	" ELSE (SELECT name FROM variable WHERE id = a.variable_id)"           \
	" END COLLATE \"C\" AS place"

/* In the order of the places, down when $19 says so. */
#define BY_PLACE                                                               \
	" ORDER BY CASE WHEN NOT $19 THEN a.place END"                         \
	", CASE WHEN NOT $19 THEN a.id END"                                    \
	", CASE WHEN $19 THEN a.place END DESC"                                \
	", CASE WHEN $19 THEN a.id END DESC"

/* $16 after $17 its id $18 sort $19 descending */
#define SORTED(name, only)                                                     \
	{                                                                      \
		"alarm_" name "_sorted", FILTER_TYPES "tuto",                  \
			"SELECT a.place," ALARM_COLUMNS                        \
			"  FROM (SELECT a.* FROM ("                            \
			"    SELECT a.*," PLACE                                \
			"      FROM alarm AS a" IN_TIME only ") AS a"          \
			"   WHERE $16::text IS NULL"                           \
			"      OR CASE WHEN $19"                               \
			"              THEN (a.place, a.id) < ($16, $17)"      \
			"              ELSE (a.place, a.id) > ($16, $17) "     \
			"END" BY_PLACE " LIMIT $15) AS a" ALARM_JOINS BY_PLACE \
	}

#define CHOICE(number, name, only)                                             \
	[number] = WALK(name, IN_TIME only, "a.came_us", "ASC", ">"),          \
	[number##_DOWN] =                                                      \
		WALK(name "_down", IN_TIME only, "a.came_us", "DESC", "<"),    \
	[number##_URGENT] =                                                    \
		WALK(name "_urgent", IN_ALL only, URGENCY, "ASC", ">"),        \
	[number##_URGENT_DOWN] =                                               \
		WALK(name "_urgent_down", IN_ALL only, URGENCY, "DESC", "<"),  \
	[number##_SORTED] = SORTED(name, only)

/* The ids as an array, of unknown length to the planner: so one plan is kept
 * for all calls. */
#define NAMED                                                                  \
	"SELECT ''::text," ALARM_COLUMNS "  FROM alarm AS a" ALARM_JOINS       \
	" WHERE a.datasource_id = $1"                                          \
	"   AND a.id = ANY (ARRAY(SELECT encode(raw, 'hex')::uuid"             \
	"                           FROM unnest($2) AS raw))"                  \
	" ORDER BY a.id"

const struct stmt alarm_stmts[] = {
	CHOICE(STMT_ALL, "all", ""),
	CHOICE(STMT_ACTIVE, "active", ACTIVE),
	CHOICE(STMT_UNACKNOWLEDGED, "unacknowledged", UNACKNOWLEDGED),
	CHOICE(STMT_STANDING, "standing", STANDING),
	[STMT_FIND] = {"alarm_find", "iB", NAMED}, /* $1 datasource $2 ids */
	[STMT_TURN] = {"alarm_turn", "n", ALARM_TURN_ALONE},
	[STMT_LOCK] = {"alarm_lock", "iB", NAMED " FOR UPDATE OF a"},
	/* $1 since $2 until or NULL $3 behind xid $4 and id $5 datasources or
	 * NULL $6 limit: a row even when there is nothing */
	[STMT_FOLLOW] = {"alarm_follow", "ttttNi",
		"SELECT now.text," ALARM_COLUMNS
		"  FROM feed_snapshot() AS now (text)"
		"  LEFT JOIN (SELECT a.* FROM alarm AS a"
		"         WHERE a.xid >= pg_snapshot_xmin($1::pg_snapshot)"
		"           AND NOT pg_visible_in_snapshot(a.xid"
		"                 , $1::pg_snapshot)"
		"           AND ($2::text IS NULL OR pg_visible_in_snapshot("
		"                 a.xid, $2::pg_snapshot))"
		"           AND (a.xid, a.id) > ($3::text::xid8"
		"                 , $4::text::uuid)"
		"           AND ($5::integer[] IS NULL"
		"                OR a.datasource_id = ANY ($5))"
		"         ORDER BY a.xid, a.id LIMIT $6) AS a ON "
		"true" ALARM_SIDE_JOINS " ORDER BY a.xid, a.id"},
	STMT_END,
};

static const char *const sort_names[ALARM_SORTS] = {
	[ALARM_SORT_RECEIVED] = "receivedTime",
	[ALARM_SORT_CLEARED] = "clearedTime",
	[ALARM_SORT_ACKNOWLEDGED] = "acknowledgedTime",
	[ALARM_SORT_PRIORITY] = "priority",
	[ALARM_SORT_VARIABLE] = "variableName",
	[ALARM_SORT_CLASS] = "alarmClass",
};

bool
alarm_sort_parse(const char *name, enum alarm_sort *sort)
{
	for (int i = 0; i < ALARM_SORTS; i++)
		if (strcmp(sort_names[i], name) == 0) {
			*sort = (enum alarm_sort)i;
			return true;
		}
	return false;
}

/* --- pages ---------------------------------------------------------------- */

/* The states that are wanted as bits; all when none is named. */
static unsigned
wanted_states(const struct ints *states)
{
	unsigned wanted = 0;

	for (size_t i = 0; i < states->count; i++)
		wanted |= 1U << states->items[i];
	return states->items != NULL ? wanted : ALL_STATES;
}

/* Are all states wanted ones of alarms that are not over? */
static bool
is_standing(const struct ints *states)
{
	return (wanted_states(states) & 1U << ALARM_STATE_NORMAL) == 0;
}

/* The states to look for in rows that are chosen already: NULL when all of them
 * have one of these, for then nobody needs to work it out. */
static struct param
states_left(const struct ints *states)
{
	unsigned wanted = wanted_states(states) | 1U << ALARM_STATE_NORMAL;

	return wanted == ALL_STATES && is_standing(states)
		       ? P_NULL('N')
		       : P_SHORT_LIST(states);
}

/* Those that the filters leave at most, by an index. What is active is standing
 * as well, and only that has an index by urgency. */
static int
choose_rows(const struct alarm_filter *filter)
{
	bool standing = is_standing(&filter->states);

	if (filter->sort == ALARM_SORT_PRIORITY && filter->active)
		standing = true;
	else if (filter->active)
		return STMT_ACTIVE;
	if (standing)
		return STMT_STANDING;
	return filter->unacknowledged ? STMT_UNACKNOWLEDGED : STMT_ALL;
}

static const struct stmt *
choose(const struct alarm_filter *filter)
{
	int choice = choose_rows(filter);

	switch (filter->sort) {
	case ALARM_SORT_RECEIVED:
		return &alarm_stmts[choice + filter->descending];
	case ALARM_SORT_PRIORITY:
		return &alarm_stmts[choice + 2 + filter->descending];
	default:
		return &alarm_stmts[choice + 4];
	}
}

/* Is the order one of numbers, which an index walks? */
static bool
is_walked(const struct alarm_filter *filter)
{
	return filter->sort == ALARM_SORT_RECEIVED ||
	       filter->sort == ALARM_SORT_PRIORITY;
}

/* "*" and "?" as LIKE has them; NULL stays NULL. */
static const char *
like(struct arena *arena, const char *text)
{
	return text != NULL ? variable_like_patterns(arena, &text, 1)[0] : NULL;
}

static struct param
place(const struct alarm_filter *filter)
{
	if (!is_walked(filter))
		return P_TEXT(filter->after);
	return filter->after != NULL ? P_INT(strtoll(filter->after, NULL, 10))
				     : P_NULL('i');
}

static enum rc
run(struct db *db, struct arena *arena, const struct alarm_filter *f,
	struct rows **rows, struct fault *fault)
{
	const struct param items[] = {P_INT(f->datasource_id),
		P_INT(f->from_us), P_INT(f->to_us), P_SHORT_LIST(&f->variables),
		P_BOOL(f->active), P_BOOL(f->cleared),
		P_BOOL(f->unacknowledged), P_SHORT_LIST(&f->classes),
		P_SHORT_LIST(&f->groups), P_SHORT_LIST(&f->priorities),
		f->areas != NULL ? P_TEXTS(f->areas, f->area_count)
				 : P_NULL('T'),
		states_left(&f->states), P_INT(f->now_us),
		P_TEXT(like(arena, f->text)), P_INT(f->limit + 1), place(f),
		P_UUID(f->after_id), P_TEXT(sort_names[f->sort]),
		P_BOOL(f->descending)};
	const struct stmt *stmt = choose(f);
	const struct params params = {strlen(stmt->types), items};

	return db_query(db, arena, stmt, params, rows, fault);
}

enum rc
alarm_query(struct db *db, struct arena *arena,
	const struct alarm_filter *filter, struct alarm_page *page,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = run(db, arena, filter, &rows, fault);
	size_t count;

	if (rc != RC_OK)
		return rc;
	count = rows_count(rows);
	page->next = NULL;
	if (count > (size_t)filter->limit) {
		count = (size_t)filter->limit;
		page->next = rows_text(rows, count - 1, 0);
	}
	alarm_row_take(arena, rows, count, &page->list);
	return RC_OK;
}

static enum rc
find_named(struct db *db, struct arena *arena, const struct stmt *stmt,
	int64_t datasource_id, const struct bytes *ids, size_t count,
	struct alarm_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, stmt,
		PARAMS(P_INT(datasource_id), P_BLOBS(ids, count)), &rows,
		fault);

	if (rc == RC_OK)
		alarm_row_take(arena, rows, rows_count(rows), list);
	return rc;
}

enum rc
alarm_find(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct bytes *ids, size_t count, struct alarm_list *list,
	struct fault *fault)
{
	return find_named(db, arena, &alarm_stmts[STMT_FIND], datasource_id,
		ids, count, list, fault);
}

enum rc
alarm_lock(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct bytes *ids, size_t count, struct alarm_list *list,
	struct fault *fault)
{
	enum rc rc = db_exec(db, &alarm_stmts[STMT_TURN],
		PARAMS(P_SHORT(datasource_id)), NULL, fault);

	if (rc != RC_OK)
		return rc;
	return find_named(db, arena, &alarm_stmts[STMT_LOCK], datasource_id,
		ids, count, list, fault);
}

enum rc
alarm_follow(struct db *db, struct arena *arena, const struct feed_look *look,
	const int32_t *datasources, size_t count, int64_t limit,
	struct alarm_list *list, const char **now, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &alarm_stmts[STMT_FOLLOW],
		PARAMS(P_TEXT(feed_look_since(look)),
			P_TEXT(look->until[0] != '\0' ? look->until : NULL),
			P_TEXT(look->xid), P_TEXT(look->id),
			datasources == NULL ? P_NULL('N')
					    : P_SHORTS(datasources, count),
			P_INT(look->since != NULL ? limit : 0)),
		&rows, fault);

	*list = (struct alarm_list){0, NULL};
	if (rc != RC_OK)
		return rc;
	*now = rows_text(rows, 0, 0);
	alarm_row_take(arena, rows,
		rows_null(rows, 0, ALARM_COLUMN_ID) ? 0 : rows_count(rows),
		list);
	return RC_OK;
}
