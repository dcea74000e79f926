/* alarm_summary: what wants attention now. */

#include "model/alarm_summary.h"

enum { STMT_SUMMARY };

const struct stmt alarm_summary_stmts[] = {
	/* $1 datasource $2 variables $3 now $4 how many are looked at; the last
	 * column: the newest one that is not acknowledged */
	[STMT_SUMMARY] = {"alarm_summary", "iNii",
		"SELECT priority"
		"     , count(*) FILTER (WHERE state <> 2)"
		"     , count(*) FILTER (WHERE went_us IS NULL)"
		"     , (array_agg(id ORDER BY came_us DESC, id)"
		"           FILTER (WHERE state <> 2))[1]"
		"  FROM (SELECT a.id, a.came_us, a.went_us, a.priority"
		"             , alarm_state(a, $3) AS state"
		"          FROM alarm AS a"
		"         WHERE a.datasource_id = $1 AND a.open"
		"           AND ($2::integer[] IS NULL"
		"                OR a.variable_id = ANY ($2))"
		"           AND EXISTS (SELECT FROM variable"
		"                WHERE id = a.variable_id AND access > 0)"
		"         ORDER BY a.came_us DESC LIMIT $4) AS standing"
		" WHERE state BETWEEN 1 AND 3"
		" GROUP BY priority ORDER BY priority"},
	STMT_END,
};

static enum rc
read_top(struct db *db, struct arena *arena, int64_t datasource_id,
	const uint8_t *id, struct alarm_summary *summary, struct fault *fault)
{
	const struct bytes ids[] = {{(const char *)id, UUID_BYTES}};
	struct alarm_list list;
	enum rc rc = alarm_find(db, arena, datasource_id, ids, 1, &list, fault);

	if (rc == RC_OK && list.count > 0)
		summary->top = list.items[0];
	return rc;
}

enum rc
alarm_summary(struct db *db, struct arena *arena, int64_t datasource_id,
	const struct ints *variables, int64_t now_us,
	struct alarm_summary *summary, struct fault *fault)
{
	const uint8_t *top = NULL;
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &alarm_summary_stmts[STMT_SUMMARY],
		PARAMS(P_INT(datasource_id), P_SHORT_LIST(variables),
			P_INT(now_us), P_INT(ALARM_SUMMARY_MAX)),
		&rows, fault);

	*summary = (struct alarm_summary){.unacknowledged = {0}};
	if (rc != RC_OK)
		return rc;
	for (size_t row = 0; row < rows_count(rows); row++) {
		int64_t priority = rows_int(rows, row, 0);

		if (priority < 1 || priority > ALARM_PRIORITIES)
			continue;
		summary->unacknowledged[priority] = rows_int(rows, row, 1);
		summary->active[priority] = rows_int(rows, row, 2);
		if (top == NULL && summary->unacknowledged[priority] > 0)
			top = rows_uuid(rows, row, 3);
	}
	return top == NULL ? RC_OK
			   : read_top(db, arena, datasource_id, top, summary,
				     fault);
}
