/* alarm_query: entries of the Alarm Message List, page by page. */

#include "model/alarm.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

/* Of a choice of rows: by the time received, down, and in another order. */
#define STATEMENTS(choice) choice, choice##_DOWN, choice##_SORTED

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

/* What is told of an alarm "a" of a variable "v"; the place comes first. */
#define COLUMNS                                                                \
	"  a.id, a.datasource_id, a.variable_id, v.name, v.unit"               \
	", v.description, v.access, a.limit_name, a.text, a.value, a.status"   \
	", a.flags, a.came_us, a.changed_us, a.changed_at, a.reactivated_us"   \
	", a.reactivations, a.went_us, a.acknowledged_us, a.shelved_until_us"  \
	", a.must_acknowledge, a.suppressed, a.out_of_service"                 \
	", a.comment_required, a.cause_required, a.class_number, class.name"   \
	", class.colour, a.group_number, gang.name, a.priority, a.areas"       \
	", a.username, a.full_name, a.computer, a.comment, a.cause"            \
	", shelf.since_us, shelf.until_us, shelf.reason, shelf.username"       \
	", hush.since_us, hush.reason, hush.username"                          \
	", out.since_us, out.reason, out.username, a.xid::text::bigint "

#define HOLD(alias, what)                                                      \
	"  LEFT JOIN alarm_hold AS " alias " ON " alias                        \
	".variable_id = a.variable_id"                                         \
	" AND " alias ".limit_name = a.limit_name"                             \
	" AND " alias ".kind = '" what "'"

#define JOINS      "  JOIN variable AS v ON v.id = a.variable_id" AROUND
#define SIDE_JOINS "  LEFT JOIN variable AS v ON v.id = a.variable_id" AROUND
#define AROUND                                                                 \
	"  LEFT JOIN alarm_category AS class"                                  \
	"    ON class.datasource_id = a.datasource_id"                         \
	"   AND class.kind = 'class' AND class.number = a.class_number"        \
	"  LEFT JOIN alarm_category AS gang"                                   \
	"    ON gang.datasource_id = a.datasource_id"                          \
	"   AND gang.kind = 'group' AND gang.number = a.group_number" HOLD(    \
		"shelf", "shelved") HOLD("hush", "suppressed")                 \
		HOLD("out", "out_of_service")

/* $1 datasource $2 from $3 to $4 variables $5 active $6 cleared
 * $7 unacknowledged $8 classes $9 groups $10 priorities $11 areas $12 states
 * $13 now $14 text as LIKE has it $15 limit */
#define FILTER_TYPES "iiiNoooNNNTNiti"
#define FILTER                                                                 \
	" WHERE a.datasource_id = $1 AND a.came_us BETWEEN $2 AND $3"          \
	"   AND ($4::integer[] IS NULL OR a.variable_id = ANY ($4))"           \
	"   AND EXISTS (SELECT FROM variable"                                  \
	"                WHERE id = a.variable_id AND access > 0)"             \
	"   AND (NOT $5 OR a.went_us IS NULL)"                                 \
	"   AND (NOT $6 OR a.went_us IS NOT NULL)"                             \
	"   AND (NOT $7 OR a.acknowledged_us IS NULL)"                         \
	"   AND ($8::integer[] IS NULL OR a.class_number = ANY ($8))"          \
	"   AND ($9::integer[] IS NULL OR a.group_number = ANY ($9))"          \
	"   AND ($10::integer[] IS NULL OR a.priority = ANY ($10))"            \
	"   AND ($11::text[] IS NULL OR a.areas && $11)"                       \
	"   AND ($12::integer[] IS NULL OR alarm_state(a, $13) = ANY ($12))"   \
	"   AND ($14::text IS NULL OR a.text ILIKE $14)"

/* These choices have an index each. */
#define ACTIVE         " AND a.went_us IS NULL"
#define UNACKNOWLEDGED " AND a.acknowledged_us IS NULL"
#define STANDING                                                               \
	" AND (a.went_us IS NULL"                                              \
	" OR a.must_acknowledge AND a.acknowledged_us IS NULL)"

/* The page is cut off before anything is joined to it. $16 after $17 its id */
#define WALK(name, only, direction, beyond)                                    \
	{                                                                      \
		"alarm_" name, FILTER_TYPES "iu",                              \
			"SELECT a.came_us::text," COLUMNS                      \
			"  FROM (SELECT a.* FROM alarm AS a" FILTER only       \
			"           AND ($16::bigint IS NULL"                  \
			"               OR (a.came_us, a.id) " beyond          \
			" ($16, $17))"                                         \
			" ORDER BY a.came_us " direction ", a.id " direction   \
			" LIMIT $15) AS a" JOINS                               \
			" ORDER BY a.came_us " direction ", a.id " direction   \
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
	" WHEN 'priority' THEN a.priority::text"                               \
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
			"SELECT a.place," COLUMNS "  FROM (SELECT a.* FROM ("  \
			"    SELECT a.*," PLACE                                \
			"      FROM alarm AS a" FILTER only ") AS a"           \
			"   WHERE $16::text IS NULL"                           \
			"      OR CASE WHEN $19"                               \
			"              THEN (a.place, a.id) < ($16, $17)"      \
			"              ELSE (a.place, a.id) > ($16, $17) "     \
			"END" BY_PLACE " LIMIT $15) AS a" JOINS BY_PLACE       \
	}

#define CHOICE(number, name, only)                                             \
	[number] = WALK(name, only, "ASC", ">"),                               \
	[number##_DOWN] = WALK(name "_down", only, "DESC", "<"),               \
	[number##_SORTED] = SORTED(name, only)

#define NAMED                                                                  \
	"SELECT ''::text," COLUMNS "  FROM alarm AS a" JOINS                   \
	" WHERE a.datasource_id = $1"                                          \
	"   AND a.id IN (SELECT encode(raw, 'hex')::uuid"                      \
	"                  FROM unnest($2) AS raw)"                            \
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
		"SELECT now.text," COLUMNS
		"  FROM (SELECT pg_current_snapshot()::text) AS now (text)"
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
		"true" SIDE_JOINS " ORDER BY a.xid, a.id"},
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

/* --- rows ----------------------------------------------------------------- */

/* Where COLUMNS has what, the place being column 0. */
enum {
	ID = 1,
	DATASOURCE,
	VARIABLE,
	VARIABLE_NAME,
	UNIT,
	DESCRIPTION,
	ACCESS,
	LIMIT,
	TEXT,
	VALUE,
	STATUS,
	FLAGS,
	CAME,
	CHANGED,
	MODIFIED,
	REACTIVATED,
	REACTIVATIONS,
	WENT,
	ACKNOWLEDGED,
	SHELVED_UNTIL,
	MUST_ACKNOWLEDGE,
	SUPPRESSED,
	OUT_OF_SERVICE,
	COMMENT_REQUIRED,
	CAUSE_REQUIRED,
	CLASS,
	CLASS_NAME,
	CLASS_COLOUR,
	GROUP,
	GROUP_NAME,
	PRIORITY,
	AREAS,
	USERNAME,
	FULL_NAME,
	COMPUTER,
	COMMENT,
	CAUSE,
	SHELF,
	HUSH = SHELF + 4,
	OUT = HUSH + 3,
	XID = OUT + 3,
};

static int64_t
time_at(const struct rows *rows, size_t row, int column)
{
	return rows_null(rows, row, column) ? CLOCK_NEVER
					    : rows_int(rows, row, column);
}

static struct alarm_facts
facts_at(const struct rows *rows, size_t row)
{
	return (struct alarm_facts){
		.went_us = time_at(rows, row, WENT),
		.acknowledged_us = time_at(rows, row, ACKNOWLEDGED),
		.shelved_until_us = time_at(rows, row, SHELVED_UNTIL),
		.must_acknowledge = rows_bool(rows, row, MUST_ACKNOWLEDGE),
		.suppressed =
			rows_bool(rows, row, SUPPRESSED) ||
			(rows_int(rows, row, FLAGS) & ALARM_SUPPRESSED) != 0,
		.out_of_service = rows_bool(rows, row, OUT_OF_SERVICE),
	};
}

/* A hold has its times first; only shelving has an end. */
static struct alarm_hold
hold_at(const struct rows *rows, size_t row, int column)
{
	int ends = column == SHELF;

	return (struct alarm_hold){
		.since_us = time_at(rows, row, column),
		.until_us = ends ? time_at(rows, row, column + 1) : CLOCK_NEVER,
		.reason = rows_text(rows, row, column + ends + 1),
		.username = rows_text(rows, row, column + ends + 2),
	};
}

static void
from_row(struct arena *arena, const struct rows *rows, size_t row,
	struct alarm *alarm)
{
	*alarm = (struct alarm){
		.datasource_id = rows_int(rows, row, DATASOURCE),
		.variable_id = (int32_t)rows_int(rows, row, VARIABLE),
		.variable = rows_text(rows, row, VARIABLE_NAME),
		.unit = rows_text(rows, row, UNIT),
		.description = rows_text(rows, row, DESCRIPTION),
		.access = (enum variable_access)rows_int(rows, row, ACCESS),
		.limit = rows_text(rows, row, LIMIT),
		.text = rows_text(rows, row, TEXT),
		.value = rows_text(rows, row, VALUE),
		.status = (uint64_t)rows_int(rows, row, STATUS),
		.flags = (uint32_t)rows_int(rows, row, FLAGS),
		.came_us = rows_int(rows, row, CAME),
		.changed_us = rows_int(rows, row, CHANGED),
		.modified_us = rows_time(rows, row, MODIFIED),
		.reactivated_us = time_at(rows, row, REACTIVATED),
		.reactivations = rows_int(rows, row, REACTIVATIONS),
		.facts = facts_at(rows, row),
		.comment_required = rows_bool(rows, row, COMMENT_REQUIRED),
		.cause_required = rows_bool(rows, row, CAUSE_REQUIRED),
		.class_number = rows_int(rows, row, CLASS),
		.class_name = rows_text(rows, row, CLASS_NAME),
		.class_colour = rows_text(rows, row, CLASS_COLOUR),
		.group_number = rows_int(rows, row, GROUP),
		.group_name = rows_text(rows, row, GROUP_NAME),
		.priority = rows_int(rows, row, PRIORITY),
		.areas = rows_texts(rows, arena, row, AREAS),
		.username = rows_text(rows, row, USERNAME),
		.full_name = rows_text(rows, row, FULL_NAME),
		.computer = rows_text(rows, row, COMPUTER),
		.comment = rows_text(rows, row, COMMENT),
		.cause = rows_texts(rows, arena, row, CAUSE),
		.shelved = hold_at(rows, row, SHELF),
		.suppressed = hold_at(rows, row, HUSH),
		.out_of_service = hold_at(rows, row, OUT),
		.xid = rows_int(rows, row, XID),
	};
	memcpy(alarm->id, rows_uuid(rows, row, ID), UUID_BYTES);
}

static void
take(struct arena *arena, const struct rows *rows, size_t count,
	struct alarm_list *list)
{
	list->count = count;
	list->items = arena_array(arena, count + 1, sizeof(*list->items));
	for (size_t i = 0; i < count; i++)
		from_row(arena, rows, i, &list->items[i]);
}

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

/* Are all states wanted ones of alarms that are not over? */
static bool
is_standing(const struct ints *states)
{
	for (size_t i = 0; i < states->count; i++)
		if (states->items[i] == ALARM_STATE_NORMAL)
			return false;
	return states->items != NULL;
}

static const struct stmt *
choose(const struct alarm_filter *filter)
{
	int choice = filter->active                 ? STMT_ACTIVE
		     : is_standing(&filter->states) ? STMT_STANDING
		     : filter->unacknowledged       ? STMT_UNACKNOWLEDGED
						    : STMT_ALL;

	if (filter->sort != ALARM_SORT_RECEIVED)
		return &alarm_stmts[choice + 2];
	return &alarm_stmts[choice + filter->descending];
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
	if (filter->sort != ALARM_SORT_RECEIVED)
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
		P_SHORT_LIST(&f->states), P_INT(f->now_us),
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
	take(arena, rows, count, &page->list);
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
		take(arena, rows, rows_count(rows), list);
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
	take(arena, rows, rows_null(rows, 0, ID) ? 0 : rows_count(rows), list);
	return RC_OK;
}
