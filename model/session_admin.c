/* session_admin: everybody's sessions, as an administrator sees them. */

#include "model/session_admin.h"

#include <string.h>

/* Places of rows, as places of a slice. */
#define CREATED_AT_PLACE SLICE_TIME("created_at")
#define SEEN_AT_PLACE    SLICE_TIME("seen_at")

#define ENTRY_COLUMNS                                                          \
	"session.hash, session.sid, session.account_id, session.amr"           \
	", session.issuer, session.user_name, session.full_name"               \
	", session.created_at, session.seen_at, session.expires_at"            \
	", session.address, session.agent"
#define ENTRY_COLUMNS_COUNT 12

/* With whose it is. */
#define ENTRIES                                                                \
	"(SELECT session.*, account.name AS user_name, account.full_name"      \
	"   FROM session JOIN account ON account.id = session.account_id"      \
	"  WHERE " SESSION_OPEN ") AS session"

enum { STMT_SLICE, STMT_LOOK };

const struct stmt session_admin_stmts[] = {
	/* $6 user $7 part of a text; the sid makes a place unique */
	[STMT_SLICE] = {"session_slice", SLICE_TYPES "tt",
		"SELECT " ENTRY_COLUMNS ", place, id"
		"  FROM (SELECT session.*, 0::bigint AS id"
		"             , (CASE $1 WHEN 'user' THEN user_name"
		"                        WHEN 'created' THEN" CREATED_AT_PLACE
		"                        WHEN 'seen' THEN" SEEN_AT_PLACE
		"                END || ' ' || sid) COLLATE \"C\" AS place"
		"          FROM " ENTRIES ") AS session WHERE" SLICE_AFTER
		"   AND ($6::text IS NULL OR user_name = lower($6))"
		"   AND ($7::text IS NULL OR position(lower($7) IN lower("
		"        user_name || ' ' || full_name || ' ' || address"
		"        || ' ' || agent)) > 0)" SLICE_ORDER},
	[STMT_LOOK] = {"session_look", "u",
		"SELECT " ENTRY_COLUMNS " FROM " ENTRIES " WHERE sid = $1"},
	STMT_END,
};

const char *const session_sorts[] = {"user", "created", "seen", NULL};

static void
read_entry(const struct rows *rows, struct arena *arena, size_t row,
	struct session_entry *entry)
{
	struct bytes hash = rows_bytes(rows, row, 0);

	memcpy(entry->session.hash, hash.data, SECRET_HASH_BYTES);
	memcpy(entry->session.sid, rows_uuid(rows, row, 1), UUID_BYTES);
	entry->session.user_id = rows_int(rows, row, 2);
	entry->session.amr = rows_texts(rows, arena, row, 3);
	entry->session.issuer = rows_text(rows, row, 4);
	entry->user = rows_text(rows, row, 5);
	entry->full_name = rows_text(rows, row, 6);
	entry->created_us = rows_time(rows, row, 7);
	entry->seen_us = rows_time(rows, row, 8);
	entry->expires_us = rows_time(rows, row, 9);
	entry->address = rows_text(rows, row, 10);
	entry->agent = rows_text(rows, row, 11);
}

enum rc
session_slice(struct db *db, struct arena *arena,
	const struct session_filter *filter, struct slice *slice,
	struct session_entry_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &session_admin_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->user),
			P_TEXT(filter->search)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = slice_take(slice, rows, ENTRY_COLUMNS_COUNT);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t row = 0; row < list->count; row++)
		read_entry(rows, arena, row, &list->items[row]);
	return RC_OK;
}

enum rc
session_look(struct db *db, struct arena *arena, const uint8_t sid[UUID_BYTES],
	struct session_entry *entry, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &session_admin_stmts[STMT_LOOK],
		PARAMS(P_UUID(sid)), &rows, fault);

	if (rc == RC_OK)
		read_entry(rows, arena, 0, entry);
	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, rc, "SessionNotFound", NULL,
			"There is no such session, or it has ended.");
	return rc;
}
