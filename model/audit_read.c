/* audit_read: looking something up in the audit. */

#include "model/audit_read.h"

#include <string.h>

#include "lib/clock.h"

enum { STMT_FORWARD, STMT_BACKWARD };

/* $6 actor $7 action $8 object $9 result $10 address $11 from $12 to */
#define TYPES SLICE_TYPES "tttttzz"
#define SELECT_WHERE(beyond)                                                   \
	"SELECT" AUDIT_ROW_COLUMNS "     , coalesce(link.position, 0)"         \
	"     , link.hash"                                                     \
	"     , ''::text AS place"                                             \
	"     , entry.id"                                                      \
	"  FROM audit_entry AS entry"                                          \
	"  LEFT JOIN audit_link AS link ON link.entry_id = entry.id"           \
	" WHERE ($3::text IS NULL OR entry.id " beyond " $4)"                  \
	"   AND ($6::text IS NULL OR entry.actor LIKE $6)"                     \
	"   AND ($7::text IS NULL OR entry.action LIKE $7)"                    \
	"   AND ($8::text IS NULL OR entry.object LIKE $8)"                    \
	"   AND ($9::text IS NULL OR entry.result = $9)"                       \
	"   AND ($10::text IS NULL OR entry.address LIKE $10)"                 \
	"   AND ($11::timestamptz IS NULL OR entry.at >= $11)"                 \
	"   AND ($12::timestamptz IS NULL OR entry.at < $12)"

const struct stmt audit_read_stmts[] = {
	[STMT_FORWARD] = {"audit_read_forward", TYPES,
		SELECT_WHERE(">") " ORDER BY entry.id LIMIT $5"},
	[STMT_BACKWARD] = {"audit_read_backward", TYPES,
		SELECT_WHERE("<") " ORDER BY entry.id DESC LIMIT $5"},
	STMT_END,
};

#define COLUMN_PLACE (AUDIT_ROW_COLUMN_COUNT + 2)

/* A pattern of LIKE: a * at the end is any rest, all else stands for itself. */
static const char *
like(struct arena *arena, const char *text)
{
	char *pattern;
	size_t used = 0;

	if (text == NULL)
		return NULL;
	pattern = arena_alloc(arena, 2 * strlen(text) + 1);
	for (; *text != '\0'; text++) {
		if (*text == '*' && text[1] == '\0') {
			pattern[used++] = '%';
			break;
		}
		if (*text == '%' || *text == '_' || *text == '\\')
			pattern[used++] = '\\';
		pattern[used++] = *text;
	}
	return pattern;
}

static struct audit_item
take(const struct rows *rows, size_t row)
{
	return (struct audit_item){
		.row = audit_row_take(rows, row, 0),
		.position = rows_int(rows, row, AUDIT_ROW_COLUMN_COUNT),
		.hash = rows_bytes(rows, row, AUDIT_ROW_COLUMN_COUNT + 1).data,
	};
}

enum rc
audit_slice(struct db *db, struct arena *arena,
	const struct audit_filter *filter, struct slice *slice,
	struct audit_list *list, struct fault *fault)
{
	const struct stmt *stmt =
		&audit_read_stmts[slice->descending ? STMT_BACKWARD
						    : STMT_FORWARD];
	struct audit_item *items;
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, stmt,
		PARAMS(P_SLICE(slice), P_TEXT(like(arena, filter->actor)),
			P_TEXT(like(arena, filter->action)),
			P_TEXT(like(arena, filter->object)),
			P_TEXT(filter->result),
			P_TEXT(like(arena, filter->address)),
			P_TIME(filter->from_us), P_TIME(filter->to_us)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, COLUMN_PLACE);
	items = arena_array(arena, list->count + 1, sizeof(*items));
	for (size_t i = 0; i < list->count; i++)
		items[i] = take(rows, i);
	list->items = items;
	return RC_OK;
}
