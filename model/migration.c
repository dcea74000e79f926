/* migration: the numbered SQL files, and which of them a database has had. */

#include "model/migration.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/file.h"
#include "lib/secret.h"

#define NUMBER_DIGITS 4
#define FILES_MAX     1000
#define FILE_BYTES    ((size_t)4 * 1024 * 1024)

/* Of pg_advisory_lock; any number that nobody else takes. */
#define LOCK "7104251911"

enum { MIGRATION_LOCK, MIGRATION_UNLOCK, MIGRATION_LIST, MIGRATION_ADD };

const struct stmt migration_stmts[] = {
	[MIGRATION_LOCK] = {"migration_lock", "",
		"SELECT 1 FROM pg_advisory_lock(" LOCK ")"},
	[MIGRATION_UNLOCK] = {"migration_unlock", "",
		"SELECT 1 FROM pg_advisory_unlock(" LOCK ")"},
	[MIGRATION_LIST] = {"migration_list", "",
		"SELECT version, name, checksum"
		"  FROM schema_migration"
		" ORDER BY version"},
	[MIGRATION_ADD] = {"migration_add", "itt",
		"INSERT INTO schema_migration (version, name, checksum)"
		" VALUES ($1, $2, $3)"},
	STMT_END,
};

/* --- the files ---------------------------------------------------------------
 */

static int
is_migration(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t length = strlen(name);

	if (length < NUMBER_DIGITS + 1 + sizeof(".sql") ||
		strcmp(name + length - 4, ".sql") != 0)
		return 0;
	return strspn(name, "0123456789") == NUMBER_DIGITS &&
	       name[NUMBER_DIGITS] == '-';
}

static enum rc
read_one(struct arena *arena, const char *folder, const char *file,
	struct migration *migration, struct fault *fault)
{
	const char *path = arena_printf(arena, "%s/%s", folder, file);
	uint8_t hash[SECRET_HASH_BYTES];
	size_t bytes;
	char *sql;
	enum rc rc = file_read(arena, path, FILE_BYTES, &sql, &bytes, fault);

	if (rc != RC_OK)
		return rc;
	secret_hash(hash, sql, bytes);
	migration->version = strtoll(file, NULL, 10);
	migration->name = arena_strndup(arena, file, strlen(file) - 4);
	migration->sql = sql;
	migration->checksum = encode_hex(arena, hash, sizeof(hash));
	return RC_OK;
}

static enum rc
read_all(struct arena *arena, const char *folder, struct dirent **files,
	size_t count, struct migration *items, struct fault *fault)
{
	for (size_t i = 0; i < count; i++) {
		enum rc rc = read_one(
			arena, folder, files[i]->d_name, &items[i], fault);

		if (rc != RC_OK)
			return rc;
		if (items[i].version != (int64_t)i + 1)
			return fault_set(fault, RC_BAD_INPUT,
				"%s/%s: expected number %04zu", folder,
				files[i]->d_name, i + 1);
	}
	return RC_OK;
}

enum rc
migration_read(struct arena *arena, const char *folder,
	struct migration_list *list, struct fault *fault)
{
	struct dirent **files;
	int count = scandir(folder, &files, is_migration, alphasort);
	struct migration *items;
	enum rc rc;

	if (count < 0)
		return fault_set(
			fault, RC_IO, "%s: %s", folder, strerror(errno));
	items = arena_array(arena, (size_t)count + 1, sizeof(*items));
	rc = read_all(arena, folder, files, (size_t)count, items, fault);
	for (int i = 0; i < count; i++)
		free(files[i]);
	free(files);
	*list = (struct migration_list){items, (size_t)count};
	if (rc == RC_OK && count == 0)
		rc = fault_set(fault, RC_IO, "%s: no migrations", folder);
	return rc;
}

/* --- the database
 * -------------------------------------------------------------- */

enum rc
migration_prepare(struct db *db, struct fault *fault)
{
	return db_script(db,
		"SELECT pg_advisory_lock(" LOCK ");"
		"SET client_min_messages = warning;"
		"CREATE TABLE IF NOT EXISTS schema_migration ("
		"    version    bigint PRIMARY KEY"
		"  , name       text NOT NULL"
		"  , checksum   text NOT NULL"
		"  , applied_at timestamptz NOT NULL DEFAULT now()"
		");"
		"SELECT pg_advisory_unlock(" LOCK ")",
		fault);
}

/* What the database has had must be the beginning of "list". */
static enum rc
compare(const struct rows *rows, const struct migration_list *list,
	struct fault *fault)
{
	for (size_t i = 0; i < rows_count(rows); i++) {
		int64_t version = rows_int(rows, i, 0);

		if (i >= list->count || version != list->items[i].version)
			return fault_set(fault, RC_CONFLICT,
				"the database has had migration %" PRId64
				" (%s), which this fieldgrid does not know: it "
				"is newer; install that version or a later one",
				version, rows_text(rows, i, 1));
		if (strcmp(rows_text(rows, i, 2), list->items[i].checksum) != 0)
			return fault_set(fault, RC_CONFLICT,
				"migration %s was changed after this database "
				"had it; a new change needs a new file",
				list->items[i].name);
	}
	return RC_OK;
}

static enum rc
apply_one(struct db *db, const struct migration *migration, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc == RC_OK)
		rc = db_script(db, migration->sql, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &migration_stmts[MIGRATION_ADD],
			PARAMS(P_INT(migration->version),
				P_TEXT(migration->name),
				P_TEXT(migration->checksum)),
			NULL, fault);
	if (rc == RC_OK)
		rc = db_commit(db, fault);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

static enum rc
apply_rest(struct db *db, struct arena *arena,
	const struct migration_list *list, size_t *applied, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &migration_stmts[MIGRATION_LIST],
		NO_PARAMS, &rows, fault);

	if (rc == RC_OK)
		rc = compare(rows, list, fault);
	for (size_t i = rc == RC_OK ? rows_count(rows) : list->count;
		rc == RC_OK && i < list->count; i++) {
		rc = apply_one(db, &list->items[i], fault);
		if (rc == RC_OK)
			++*applied;
	}
	return rc;
}

enum rc
migration_apply(struct db *db, struct arena *arena,
	const struct migration_list *list, size_t *applied, struct fault *fault)
{
	struct fault ignored;
	enum rc rc = db_exec(
		db, &migration_stmts[MIGRATION_LOCK], NO_PARAMS, NULL, fault);

	*applied = 0;
	if (rc != RC_OK)
		return rc;
	rc = apply_rest(db, arena, list, applied, fault);
	if (db_exec(db, &migration_stmts[MIGRATION_UNLOCK], NO_PARAMS, NULL,
		    &ignored) != RC_OK)
		return rc; /* the lock ends with the connection */
	return rc;
}
