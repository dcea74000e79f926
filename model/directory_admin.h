/* directory_admin: what an administrator does with directories, for REST and
 * for the command line. */
#ifndef FG_MODEL_DIRECTORY_ADMIN_H
#define FG_MODEL_DIRECTORY_ADMIN_H

#include "lib/jsonw.h"
#include "model/directory.h"

/* "ldap:NAME": account.source and account_link.issuer of its people. */
const char *directory_source(
	struct arena *arena, const struct directory *directory);

/* Its settings as an object; never the password. */
void directory_write(struct jsonw *json, const struct directory *directory);

/* The same as text, for the audit. */
const char *directory_describe(
	struct arena *arena, const struct directory *directory);

enum directory_mapping { DIRECTORY_MAP, DIRECTORY_UNMAP };

/* As group_mapping_add and group_mapping_remove, for a group called by its DN.
 * Fails: RC_BAD_INPUT it is no DN; RC_NOT_FOUND it was not mapped. */
MUST_CHECK enum rc directory_set_mapping(struct db *db, struct arena *arena,
	const struct directory *directory, const char *external,
	int64_t group_id, enum directory_mapping mapping, struct fault *fault);

#endif
