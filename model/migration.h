/*
 * migration: the numbered SQL files, and which of them a database has had.
 */
#ifndef FG_MODEL_MIGRATION_H
#define FG_MODEL_MIGRATION_H

#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"

extern const struct stmt migration_stmts[];

struct migration {
	int64_t version;      /* 1, 2, … without a gap */
	const char *name;     /* of the file, "0001-create-schema" */
	const char *sql;      /* its text */
	const char *checksum; /* SHA-256 in hexadecimal */
};

struct migration_list {
	const struct migration *items;
	size_t count;
};

/*
 * Read NNNN-name.sql of "folder" in order; other files are ignored.
 * Owns:  everything lives in "arena".
 * Fails: RC_IO the folder or a file cannot be read; RC_BAD_INPUT a number is
 *        missing or there twice.
 */
MUST_CHECK enum rc migration_read(struct arena *arena, const char *folder,
	struct migration_list *list, struct fault *fault);

/* Make the table that remembers; "db" needs no prepared statement. */
MUST_CHECK enum rc migration_prepare(struct db *db, struct fault *fault);

/*
 * Bring the database to the end of "list", each file in a transaction, one
 * migrator at a time; *applied counts the files that were run.
 * Fails: RC_CONFLICT the database is newer than "list", or a file that it has
 *        had was changed since; RC_DB a file failed: the ones before it stay.
 * Blocks: until another migrator is done.
 */
MUST_CHECK enum rc migration_apply(struct db *db, struct arena *arena,
	const struct migration_list *list, size_t *applied,
	struct fault *fault);

#endif
