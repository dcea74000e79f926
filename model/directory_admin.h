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

#endif
