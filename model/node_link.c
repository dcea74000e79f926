/* node_link: which datasources nodes publish and subscribe to. */

#include "model/node_link.h"

enum { OF_NODES };

const struct stmt node_link_stmts[] = {
	[OF_NODES] = {"node_links", "N", /* $1 nodes */
		"SELECT node_id"
		"     , datasource_id"
		"     , publish"
		"     , subscribe"
		"  FROM node_datasource"
		" WHERE node_id = ANY($1)"
		" ORDER BY node_id, datasource_id"},
	STMT_END,
};

enum rc
node_links(struct db *db, struct arena *arena, const int32_t *node_ids,
	size_t node_count, struct node_link **links, size_t *count,
	struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &node_link_stmts[OF_NODES],
		PARAMS(P_SHORTS(node_ids, node_count)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*links = arena_array(arena, *count, sizeof(**links));
	for (size_t i = 0; i < *count; i++)
		(*links)[i] = (struct node_link){
			.node_id = (int32_t)rows_int(rows, i, 0),
			.datasource_id = (int32_t)rows_int(rows, i, 1),
			.publishes = rows_bool(rows, i, 2),
			.subscribes = rows_bool(rows, i, 3),
		};
	return RC_OK;
}
