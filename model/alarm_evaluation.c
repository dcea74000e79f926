/* alarm_evaluation: how far the hub has come with evaluating alarms. */

#include "model/alarm_evaluation.h"

enum { OWN, ENTER, FORGET, NODES, MOVE, LIST, LOAD, BEGIN, SAVE, END };

#define PUBLISHERS                                                             \
	"SELECT node_id FROM node_datasource"                                  \
	" WHERE publish AND datasource_id = ANY($1)"

const struct stmt alarm_evaluation_stmts[] = {
	[OWN] = {"alarm_evaluation_own", "",
		"SELECT pg_try_advisory_lock(hashtext('fieldgrid alarms'))"},
	[ENTER] = {"alarm_evaluation_enter", "N", /* $1 datasources */
		"INSERT INTO alarm_position (node_id, sequence)"
		" SELECT n.node_id, coalesce(p.last_sequence, 0)"
		"   FROM (" PUBLISHERS " GROUP BY node_id) n"
		"   LEFT JOIN node_position p USING (node_id)"
		"  WHERE NOT EXISTS (SELECT FROM alarm_position a"
		"    WHERE a.node_id = n.node_id)"
		" ON CONFLICT DO NOTHING"},
	[FORGET] = {"alarm_evaluation_forget", "N", /* $1 datasources */
		"DELETE FROM alarm_position"
		" WHERE node_id NOT IN (" PUBLISHERS ")"},
	[NODES] = {"alarm_evaluation_nodes", "",
		"SELECT a.node_id"
		"     , a.sequence"
		"     , coalesce(p.last_sequence, 0)"
		"  FROM alarm_position a"
		"  LEFT JOIN node_position p USING (node_id)"
		" ORDER BY a.node_id"},
	[MOVE] = {"alarm_evaluation_move", "nii", /* $1 node $2 from $3 to */
		"UPDATE alarm_position SET sequence = $3"
		" WHERE node_id = $1 AND sequence = $2"},
	[LIST] = {"alarm_evaluation_list", "",
		"SELECT datasource_id"
		"  FROM alarm_evaluation"},
	[LOAD] = {"alarm_evaluation_load", "n", /* $1 datasource */
		"SELECT version"
		"     , state"
		"  FROM alarm_evaluation"
		" WHERE datasource_id = $1"},
	[BEGIN] = {"alarm_evaluation_begin", "nb", /* $1 datasource $2 state */
		"INSERT INTO alarm_evaluation (datasource_id, state)"
		" VALUES ($1, $2) ON CONFLICT DO NOTHING"},
	[SAVE] = {"alarm_evaluation_save", "nbi", /* $1 datasource $2 state
						     $3 version before */
		"UPDATE alarm_evaluation"
		"   SET state = $2"
		"     , version = version + 1"
		" WHERE datasource_id = $1 AND version = $3"},
	[END] = {"alarm_evaluation_end", "ni", /* $1 datasource $2 version */
		"DELETE FROM alarm_evaluation"
		" WHERE datasource_id = $1 AND version = $2"},
	STMT_END,
};

enum rc
alarm_evaluation_own(
	struct db *db, struct arena *arena, bool *owner, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_find(db, arena, &alarm_evaluation_stmts[OWN], NO_PARAMS,
		&rows, fault);

	*owner = rc == RC_OK && rows_bool(rows, 0, 0);
	return rc;
}

enum rc
alarm_evaluation_positions(struct db *db, struct arena *arena,
	struct alarm_position **positions, size_t *count, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &alarm_evaluation_stmts[NODES],
		NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*positions = arena_array(arena, *count, sizeof(**positions));
	for (size_t i = 0; i < *count; i++)
		(*positions)[i] = (struct alarm_position){
			.node_id = (int32_t)rows_int(rows, i, 0),
			.done = rows_int(rows, i, 1),
			.last = rows_int(rows, i, 2)};
	return RC_OK;
}

enum rc
alarm_evaluation_nodes(struct db *db, struct arena *arena,
	const int32_t *datasource_ids, size_t datasource_count,
	struct alarm_position **positions, size_t *count, struct fault *fault)
{
	const struct params ids =
		PARAMS(P_SHORTS(datasource_ids, datasource_count));
	enum rc rc =
		db_exec(db, &alarm_evaluation_stmts[ENTER], ids, NULL, fault);

	if (rc == RC_OK)
		rc = db_exec(
			db, &alarm_evaluation_stmts[FORGET], ids, NULL, fault);
	if (rc == RC_OK)
		rc = alarm_evaluation_positions(
			db, arena, positions, count, fault);
	return rc;
}

/* One row must have changed, or somebody else was here. */
static enum rc
change_one(struct db *db, const struct stmt *stmt, struct params params,
	struct fault *fault)
{
	int64_t changed = 0;
	enum rc rc = db_exec(db, stmt, params, &changed, fault);

	if (rc == RC_OK && changed != 1)
		rc = fault_set(fault, RC_CONFLICT,
			"%s: somebody else evaluates alarms", stmt->name);
	return rc;
}

enum rc
alarm_evaluation_move(struct db *db, int32_t node_id, int64_t from, int64_t to,
	struct fault *fault)
{
	return change_one(db, &alarm_evaluation_stmts[MOVE],
		PARAMS(P_SHORT(node_id), P_INT(from), P_INT(to)), fault);
}

enum rc
alarm_evaluation_load(struct db *db, struct arena *arena, int32_t datasource_id,
	int64_t *version, struct bytes *state, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &alarm_evaluation_stmts[LOAD],
		PARAMS(P_SHORT(datasource_id)), &rows, fault);

	*version = 0;
	*state = (struct bytes){NULL, 0};
	if (rc != RC_OK || rows_count(rows) == 0)
		return rc;
	*version = rows_int(rows, 0, 0);
	*state = rows_bytes(rows, 0, 1);
	return RC_OK;
}

enum rc
alarm_evaluation_save(struct db *db, int32_t datasource_id, int64_t *version,
	const struct buf *state, struct fault *fault)
{
	struct param bytes = P_BYTES(state->data, state->length);
	enum rc rc =
		*version == 0
			? change_one(db, &alarm_evaluation_stmts[BEGIN],
				  PARAMS(P_SHORT(datasource_id), bytes), fault)
			: change_one(db, &alarm_evaluation_stmts[SAVE],
				  PARAMS(P_SHORT(datasource_id), bytes,
					  P_INT(*version)),
				  fault);

	if (rc == RC_OK)
		++*version;
	return rc;
}

enum rc
alarm_evaluation_list(struct db *db, struct arena *arena,
	int32_t **datasource_ids, size_t *count, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &alarm_evaluation_stmts[LIST],
		NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*datasource_ids = arena_array(arena, *count, sizeof(**datasource_ids));
	for (size_t i = 0; i < *count; i++)
		(*datasource_ids)[i] = (int32_t)rows_int(rows, i, 0);
	return RC_OK;
}

enum rc
alarm_evaluation_end(struct db *db, int32_t datasource_id, int64_t version,
	struct fault *fault)
{
	if (version == 0)
		return RC_OK;
	return change_one(db, &alarm_evaluation_stmts[END],
		PARAMS(P_SHORT(datasource_id), P_INT(version)), fault);
}
