/* directory: an LDAP server or Active Directory whose users may log in. */

#include "model/directory.h"

#include <string.h>

#include "model/directory_parts.h"
#include "model/group_mapping.h"

#define COLUMNS                                                                \
	"id, uuid, name, state, position, uris, mode, ca, bind_dn"             \
	", bind_password, base, user_filter, id_attribute, name_attribute"     \
	", full_name_attribute, email_attribute, group_mode, group_base"       \
	", group_filter, timeout_ms, sync_s, max_age_s, synced_at, sync_fault"

enum {
	STMT_CREATE,
	STMT_CHANGE,
	STMT_FIND,
	STMT_SLICE,
	STMT_ACTIVE,
	STMT_ASK_AGAIN,
	STMT_END_TOKENS,
	STMT_END_SESSIONS,
	STMT_END_REFRESH,
	STMT_DISABLE,
	STMT_UNLINK,
	STMT_REMOVE
};

const struct stmt directory_stmts[] = {
	/* $1 uuid $2 name $3 state $4 position, 0 = behind all others, and
	 * then the columns in their order */
	[STMT_CREATE] = {"directory_create", "uttnTtttbtttttttttnnn",
		"INSERT INTO directory (uuid, name, state, position, uris"
		", mode, ca, bind_dn, bind_password, base, user_filter"
		", id_attribute, name_attribute, full_name_attribute"
		", email_attribute, group_mode, group_base, group_filter"
		", timeout_ms, sync_s, max_age_s)"
		" VALUES ($1, $2, $3, coalesce(nullif($4, 0)"
		", (SELECT coalesce(max(position), 0) + 1 FROM directory))"
		", $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17"
		", $18, $19, $20, $21)"
		" RETURNING " COLUMNS},
	[STMT_CHANGE] = {"directory_change", "uttnTtttbtttttttttnnn",
		"UPDATE directory SET state = $3, position = $4, uris = $5"
		", mode = $6, ca = $7, bind_dn = $8, bind_password = $9"
		", base = $10, user_filter = $11, id_attribute = $12"
		", name_attribute = $13, full_name_attribute = $14"
		", email_attribute = $15, group_mode = $16, group_base = $17"
		", group_filter = $18, timeout_ms = $19, sync_s = $20"
		", max_age_s = $21"
		" WHERE uuid = $1 AND name = $2"
		" RETURNING " COLUMNS},
	[STMT_FIND] = {"directory_find", "t",
		"SELECT " COLUMNS " FROM directory"
		" WHERE name = lower($1) OR uuid::text = lower($1)"},
	[STMT_SLICE] = {"directory_slice", SLICE_TYPES "tt",
		"SELECT " COLUMNS ", place, id FROM"
		" (SELECT directory.*, CASE $1 WHEN 'name' THEN name"
		"  WHEN 'position' THEN to_char(position, 'FM0000000000')"
		"  END COLLATE \"C\" AS place FROM directory) AS item"
		" WHERE" SLICE_AFTER
		"   AND ($6::text IS NULL OR position($6 IN name) > 0)"
		"   AND ($7::text IS NULL OR state = $7)" SLICE_ORDER},
	[STMT_ACTIVE] = {"directory_active", "",
		"SELECT " COLUMNS " FROM directory"
		" WHERE state = 'active' ORDER BY position, id LIMIT 64"},
	[STMT_ASK_AGAIN] = {"directory_ask_again", "t",
		"UPDATE account_link SET due_at = now()"
		" WHERE issuer = $1 AND due_at > now()"},
	[STMT_END_TOKENS] = {"directory_end_tokens", "t",
		"UPDATE account SET epoch = epoch + 1 WHERE source = $1"},
	[STMT_END_SESSIONS] = {"directory_end_sessions", "t",
		"DELETE FROM session WHERE account_id IN"
		" (SELECT id FROM account WHERE source = $1)"},
	[STMT_END_REFRESH] = {"directory_end_refresh", "t",
		"UPDATE refresh_token SET revoked_at = now()"
		" WHERE revoked_at IS NULL AND account_id IN"
		" (SELECT id FROM account WHERE source = $1)"},
	[STMT_DISABLE] = {"directory_disable", "t",
		"UPDATE account SET state = 'disabled' WHERE source = $1"},
	[STMT_UNLINK] = {"directory_unlink", "t",
		"DELETE FROM account_link WHERE issuer = $1"},
	[STMT_REMOVE] = {"directory_remove", "t",
		"DELETE FROM directory WHERE '" DIRECTORY_SOURCE_PREFIX
		"' || name = $1"},
	STMT_END,
};

/* --- rows ------------------------------------------------------------- */

static void
read_directory(const struct rows *rows, struct arena *arena, size_t row,
	struct directory *directory)
{
	struct bytes sealed = rows_bytes(rows, row, 9);
	const char **uris = rows_texts(rows, arena, row, 5);
	size_t count = 0;

	while (uris[count] != NULL)
		count++;
	*directory = (struct directory){.id = rows_int(rows, row, 0),
		.name = rows_text(rows, row, 2),
		.state = rows_text(rows, row, 3),
		.position = rows_int(rows, row, 4),
		.uris = {count, uris},
		.mode = rows_text(rows, row, 6),
		.ca = rows_text(rows, row, 7),
		.bind_dn = rows_text(rows, row, 8),
		.sealed_password = {sealed.data, sealed.length},
		.base = rows_text(rows, row, 10),
		.user_filter = rows_text(rows, row, 11),
		.id_attribute = rows_text(rows, row, 12),
		.name_attribute = rows_text(rows, row, 13),
		.full_name_attribute = rows_text(rows, row, 14),
		.email_attribute = rows_text(rows, row, 15),
		.group_mode = rows_text(rows, row, 16),
		.group_base = rows_text(rows, row, 17),
		.group_filter = rows_text(rows, row, 18),
		.timeout_ms = rows_int(rows, row, 19),
		.sync_s = rows_int(rows, row, 20),
		.max_age_s = rows_int(rows, row, 21),
		.synced_us = rows_time(rows, row, 22),
		.sync_fault = rows_text(rows, row, 23)};
	memcpy(directory->uuid, rows_uuid(rows, row, 1), UUID_BYTES);
}

static void
read_list(const struct rows *rows, struct arena *arena, size_t count,
	struct directory_list *list)
{
	list->count = count;
	list->items = arena_array(arena, count + 1, sizeof(*list->items));
	for (size_t row = 0; row < count; row++)
		read_directory(rows, arena, row, &list->items[row]);
}

/* --- storing ---------------------------------------------------------- */

/* What the sealed password is bound to. */
static const char *
seal_name(struct arena *arena, const uint8_t uuid[UUID_BYTES])
{
	char text[UUID_TEXT_BYTES];

	uuid_format(text, uuid);
	return arena_printf(arena, "directory:%s", text);
}

const char *
directory_password(struct arena *arena, const struct seal *seal,
	const struct directory *directory)
{
	return seal_open(arena, seal, seal_name(arena, directory->uuid),
		directory->sealed_password);
}

static enum rc
store(struct db *db, struct arena *arena, int statement,
	const struct seal *seal, const struct directory *wanted,
	struct rows **rows, struct fault *fault)
{
	struct sealed sealed = wanted->sealed_password;

	if (wanted->bind_password != NULL)
		sealed = seal_close(arena, seal, seal_name(arena, wanted->uuid),
			wanted->bind_password);
	return db_find(db, arena, &directory_stmts[statement],
		PARAMS(P_UUID(wanted->uuid), P_TEXT(wanted->name),
			P_TEXT(wanted->state), P_SHORT(wanted->position),
			P_TEXTS(wanted->uris.items, wanted->uris.count),
			P_TEXT(wanted->mode), P_TEXT(wanted->ca),
			P_TEXT(wanted->bind_dn),
			P_BYTES(sealed.data, sealed.length),
			P_TEXT(wanted->base), P_TEXT(wanted->user_filter),
			P_TEXT(wanted->id_attribute),
			P_TEXT(wanted->name_attribute),
			P_TEXT(wanted->full_name_attribute),
			P_TEXT(wanted->email_attribute),
			P_TEXT(wanted->group_mode), P_TEXT(wanted->group_base),
			P_TEXT(wanted->group_filter),
			P_SHORT(wanted->timeout_ms), P_SHORT(wanted->sync_s),
			P_SHORT(wanted->max_age_s)),
		rows, fault);
}

enum rc
directory_create(struct db *db, struct arena *arena, const struct seal *seal,
	struct directory *directory, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = directory_check(arena, directory, fault);

	if (rc != RC_OK)
		return rc;
	if (directory->bind_password == NULL)
		return fault_tell(fault, RC_BAD_INPUT, "DirectoryPassword",
			"bindPassword",
			"The service account needs its password.");
	uuid_random(directory->uuid);
	rc = store(db, arena, STMT_CREATE, seal, directory, &rows, fault);
	if (rc == RC_CONFLICT)
		return fault_tell(fault, RC_CONFLICT, "NameTaken", "name",
			"There is a directory \"%s\" already.",
			directory->name);
	if (rc == RC_OK)
		read_directory(rows, arena, 0, directory);
	return rc;
}

static enum rc
run(struct db *db, int statement, const char *source, struct fault *fault)
{
	return db_exec(db, &directory_stmts[statement], PARAMS(P_TEXT(source)),
		NULL, fault);
}

static enum rc
run_all(struct db *db, const int *steps, size_t count, const char *source,
	struct fault *fault)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = run(db, steps[i], source, fault);
	return rc;
}

static enum rc
end(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
directory_change(struct db *db, struct arena *arena, const struct seal *seal,
	const struct directory *directory, struct fault *fault)
{
	static const int ends[] = {
		STMT_END_TOKENS, STMT_END_SESSIONS, STMT_END_REFRESH};
	const char *source = directory_source(arena, directory);
	struct rows *rows = NULL;
	enum rc rc = directory_check(arena, directory, fault);

	if (rc == RC_OK)
		rc = db_begin(db, DB_READ_COMMITTED, fault);
	if (rc != RC_OK)
		return rc;
	rc = store(db, arena, STMT_CHANGE, seal, directory, &rows, fault);
	if (rc == RC_OK && strcmp(directory->state, "disabled") == 0)
		rc = run_all(db, ends, ARRAY_LENGTH(ends), source, fault);
	if (rc == RC_OK)
		rc = run(db, STMT_ASK_AGAIN, source, fault);
	return end(db, rc, fault);
}

enum rc
directory_remove(struct db *db, struct arena *arena,
	const struct directory *directory, struct fault *fault)
{
	static const int steps[] = {STMT_DISABLE, STMT_END_TOKENS,
		STMT_END_SESSIONS, STMT_END_REFRESH, STMT_UNLINK, STMT_REMOVE};
	const char *source = directory_source(arena, directory);
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = run_all(db, steps, ARRAY_LENGTH(steps), source, fault);
	if (rc == RC_OK)
		rc = group_mapping_forget(db, source, fault);
	return end(db, rc, fault);
}

/* --- finding
 * ------------------------------------------------------------------- */

enum rc
directory_find(struct db *db, struct arena *arena, const char *name,
	struct directory *directory, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &directory_stmts[STMT_FIND],
		PARAMS(P_TEXT(name)), &rows, fault);

	if (rc == RC_OK)
		read_directory(rows, arena, 0, directory);
	return rc;
}

enum rc
directory_slice(struct db *db, struct arena *arena,
	const struct directory_filter *filter, struct slice *slice,
	struct directory_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &directory_stmts[STMT_SLICE],
		PARAMS(P_SLICE(slice), P_TEXT(filter->search),
			P_TEXT(filter->state)),
		&rows, fault);

	if (rc == RC_OK)
		read_list(rows, arena, slice_take(slice, rows, 24), list);
	return rc;
}

enum rc
directory_active(struct db *db, struct arena *arena,
	struct directory_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &directory_stmts[STMT_ACTIVE],
		NO_PARAMS, &rows, fault);

	if (rc == RC_OK)
		read_list(rows, arena, rows_count(rows), list);
	return rc;
}
