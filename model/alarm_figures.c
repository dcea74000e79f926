/* alarm_figures: what alarms say of the alarm system. */

#include "model/alarm_figures.h"

#include "lib/clock.h"

enum { STMT_SLOTS, STMT_PRIORITIES, STMT_TOP, STMT_CHATTERING, STMT_STANDING };

/* $1 datasource $2 from $3 to $4 variables or NULL $5 rows, or a width */
#define TYPES "iiiNi"
#define CHOSEN                                                                 \
	"  FROM alarm AS a"                                                    \
	"  JOIN variable AS v ON v.id = a.variable_id AND v.access > 0"        \
	" WHERE a.datasource_id = $1 AND a.came_us BETWEEN $2 AND $3"          \
	"   AND ($4::integer[] IS NULL OR a.variable_id = ANY ($4))"

const struct stmt alarm_figures_stmts[] = {
	[STMT_SLOTS] = {"alarm_figures_slots", TYPES,
		"SELECT (a.came_us - $2) / $5, count(*)" CHOSEN
		" GROUP BY 1 ORDER BY 1"},
	[STMT_PRIORITIES] = {"alarm_figures_priorities", TYPES,
		"SELECT a.priority, count(*)" CHOSEN " AND $5 > 0 GROUP BY 1"},
	[STMT_TOP] = {"alarm_figures_top", TYPES,
		"SELECT v.name, a.limit_name, count(*), min(a.came_us)" CHOSEN
		" GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $5"},
	/* Said by the plant, or three times within a minute. */
	[STMT_CHATTERING] = {"alarm_figures_chattering", TYPES,
		"SELECT name, limit_name, count(*), min(came_us) FROM ("
		"  SELECT v.name, a.limit_name, a.came_us, a.flags & 2 <> 0"
		"             AS told"
		"       , lag(a.came_us, 2) OVER (PARTITION BY a.variable_id"
		"             , a.limit_name ORDER BY a.came_us) AS "
		"before_us" CHOSEN ") AS a"
		" WHERE told OR came_us - before_us <= 60000000"
		" GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT $5"},
	[STMT_STANDING] = {"alarm_figures_standing", TYPES,
		"SELECT v.name, a.limit_name, count(*) OVER (), "
		"a.came_us" CHOSEN
		" AND a.went_us IS NULL ORDER BY a.came_us LIMIT $5"},
	STMT_END,
};

/* What is asked for. */
struct range {
	int64_t datasource_id;
	int64_t from_us;
	int64_t to_us;
	const struct ints *variables;
};

static enum rc
ask(struct db *db, struct arena *arena, int stmt, const struct range *range,
	int64_t last, struct rows **rows, struct fault *fault)
{
	return db_query(db, arena, &alarm_figures_stmts[stmt],
		PARAMS(P_INT(range->datasource_id), P_INT(range->from_us),
			P_INT(range->to_us), P_SHORT_LIST(range->variables),
			P_INT(last)),
		rows, fault);
}

static enum rc
find_rate(struct db *db, struct arena *arena, const struct range *range,
	struct alarm_rate *rate, struct fault *fault)
{
	struct alarm_slot *slots;
	struct rows *rows = NULL;
	size_t count;
	enum rc rc = ask(
		db, arena, STMT_SLOTS, range, ALARM_RATE_SLOT_US, &rows, fault);

	if (rc != RC_OK)
		return rc;
	count = rows_count(rows);
	slots = arena_array(arena, count + 1, sizeof(*slots));
	for (size_t i = 0; i < count; i++)
		slots[i] = (struct alarm_slot){
			rows_int(rows, i, 0), rows_int(rows, i, 1)};
	*rate = alarm_rate(arena, slots, count,
		(double)(range->to_us - range->from_us) / ALARM_RATE_SLOT_US);
	return RC_OK;
}

static enum rc
find_priorities(struct db *db, struct arena *arena, const struct range *range,
	int64_t priorities[5], struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = ask(db, arena, STMT_PRIORITIES, range, 1, &rows, fault);

	for (size_t i = 0; rc == RC_OK && i < rows_count(rows); i++)
		if (rows_int(rows, i, 0) >= 1 && rows_int(rows, i, 0) <= 4)
			priorities[rows_int(rows, i, 0)] = rows_int(rows, i, 1);
	return rc;
}

static enum rc
find_list(struct db *db, struct arena *arena, int stmt,
	const struct range *range, struct alarm_figure_list *list,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc =
		ask(db, arena, stmt, range, ALARM_FIGURES_TOP, &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		list->items[i] = (struct alarm_figure){
			.variable = rows_text(rows, i, 0),
			.limit = rows_text(rows, i, 1),
			.count = rows_int(rows, i, 2),
			.came_us = rows_int(rows, i, 3),
		};
	return RC_OK;
}

/* Each one is a row of its own; their number stands in every row. */
static enum rc
find_standing(struct db *db, struct arena *arena, struct range range,
	int64_t now_us, struct alarm_figures *figures, struct fault *fault)
{
	enum rc rc;

	range.from_us = 0;
	range.to_us = now_us - ALARM_STANDING_US;
	rc = find_list(
		db, arena, STMT_STANDING, &range, &figures->standing, fault);
	if (rc != RC_OK || figures->standing.count == 0)
		return rc;
	figures->standing_count = figures->standing.items[0].count;
	return RC_OK;
}

enum rc
alarm_figures(struct db *db, struct arena *arena, int64_t datasource_id,
	int64_t from_us, int64_t to_us, int64_t now_us,
	const struct ints *variables, struct alarm_figures *figures,
	struct fault *fault)
{
	const struct range range = {datasource_id, from_us, to_us, variables};
	enum rc rc;

	*figures = (struct alarm_figures){.standing_count = 0};
	rc = find_rate(db, arena, &range, &figures->rate, fault);
	if (rc == RC_OK)
		rc = find_priorities(
			db, arena, &range, figures->priorities, fault);
	if (rc == RC_OK)
		rc = find_list(
			db, arena, STMT_TOP, &range, &figures->top, fault);
	if (rc == RC_OK)
		rc = find_list(db, arena, STMT_CHATTERING, &range,
			&figures->chattering, fault);
	if (rc == RC_OK)
		rc = find_standing(db, arena, range, now_us, figures, fault);
	return rc;
}
