/* command_read: the history of commands, page by page. */

#include "model/command_read.h"

#include "model/command_parts.h"

enum { FORWARD, BACKWARD };

/* $6 datasource $7 readable $8 matching $9 subject $10 state $11 user $12 from
 * $13 to */
#define TYPES SLICE_TYPES "nNNtttzz"
#define SELECT_WHERE(beyond)                                                   \
	"SELECT " COMMAND_COLUMNS ", ''::text AS place, c.number AS id"        \
	"  FROM command" COMMAND_NAMED " WHERE c.datasource_id = $6"           \
	"   AND ($3::text IS NULL OR c.number " beyond " $4)"                  \
	"   AND (c.variable_id = ANY ($7)"                                     \
	"        OR (c.subject = $9 AND c.variable_id = ANY ($8)))"            \
	"   AND ($10::text IS NULL OR c.state = $10)"                          \
	"   AND ($11::text IS NULL OR c.actor = $11)"                          \
	"   AND ($12::timestamptz IS NULL OR c.created_at >= $12)"             \
	"   AND ($13::timestamptz IS NULL OR c.created_at < $13)"

const struct stmt command_read_stmts[] = {
	[FORWARD] = {"command_read_forward", TYPES,
		SELECT_WHERE(">") " ORDER BY c.number LIMIT $5"},
	[BACKWARD] = {"command_read_backward", TYPES,
		SELECT_WHERE("<") " ORDER BY c.number DESC LIMIT $5"},
	STMT_END,
};

const char *const command_states[] = {COMMAND_SENT, COMMAND_CONFIRMED,
	COMMAND_FAILED, COMMAND_REFUSED, COMMAND_EXPIRED, NULL};

enum rc
command_slice(struct db *db, struct arena *arena,
	const struct command_filter *filter, struct slice *slice,
	struct command_list *list, struct fault *fault)
{
	const struct stmt *stmt =
		&command_read_stmts[slice->descending ? BACKWARD : FORWARD];
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, stmt,
		PARAMS(P_SLICE(slice), P_SHORT(filter->datasource_id),
			P_SHORTS(filter->readable, filter->readable_count),
			P_SHORTS(filter->matching, filter->matching_count),
			P_TEXT(filter->subject), P_TEXT(filter->state),
			P_TEXT(filter->username), P_TIME(filter->from_us),
			P_TIME(filter->to_us)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, COMMAND_COLUMNS_COUNT);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		command_from_row(rows, i, &list->items[i]);
	return RC_OK;
}
