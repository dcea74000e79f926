/* client_slice: clients as a list for administrators. */

#include "model/client_row.h"

enum { STMT_SLICE };

const char *const client_sorts[] = {"clientId", "name", "created", NULL};
const char *const client_states[] = {"active", "disabled", NULL};

const struct stmt client_slice_stmts[] = {
	/* $6 part of a text $7 state $8 authentication $9 of a node */
	[STMT_SLICE] = {"client_slice", SLICE_TYPES "tttt",
		"SELECT " CLIENT_COLUMNS ", place, client.id"
		"  FROM (SELECT client.*"
		"             , CASE $1 WHEN 'clientId' THEN client_id"
		"                       WHEN 'name' THEN lower(name)"
		"                       WHEN 'created' THEN"
		/* clang-format off */
		SLICE_TIME("created_at")
		/* clang-format on */
		"               END COLLATE \"C\" AS place"
		"          FROM client) AS client"
		" WHERE" SLICE_AFTER
		"   AND ($6::text IS NULL OR position(lower($6)"
		"        IN lower(client_id || ' ' || name)) > 0)"
		"   AND ($7::text IS NULL OR state = $7)"
		"   AND ($8::text IS NULL OR authentication = $8)"
		"   AND ($9::text IS NULL"
		"        OR (node_id IS NOT NULL) = ($9 = "
		"'true'))" SLICE_ORDER},
	STMT_END,
};

enum rc
client_slice(struct db *db, struct arena *arena,
	const struct client_filter *filter, struct slice *slice,
	struct client_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &client_slice_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->search),
			P_TEXT(filter->state), P_TEXT(filter->authentication),
			P_TEXT(filter->node)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, CLIENT_COLUMNS_COUNT);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		client_read(rows, arena, row, &list->items[row]);
	return RC_OK;
}
