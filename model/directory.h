/*
 * directory: an LDAP server or Active Directory whose users may log in.
 *
 * Several, asked in order. A name that has an account here is only looked for
 * in the directory that the account came from; "NAME@DIRECTORY" asks one
 * directory. Where a name is found first its password decides: there is no
 * second try in the next directory.
 */
#ifndef FG_MODEL_DIRECTORY_H
#define FG_MODEL_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/seal.h"
#include "lib/slots.h"
#include "model/user.h"

extern const struct stmt directory_stmts[];

/* What a program needs to ask directories; one per process. */
struct directory_gate {
	const struct seal *seal; /* of the service accounts' passwords */
	struct slots slots;      /* logins in directories at once */
	struct directory_memory *memory; /* which addresses are down */
};

/*
 * Find out whether a directory knows this name and password, and who it is
 * here. No transaction may be open: a directory may take seconds.
 * Fails:  RC_UNAUTHENTICATED with one text for all reasons, an empty password
 *         among them; RC_UNAVAILABLE no directory could say, or all slots are
 *         taken.
 * Blocks: at most timeout_ms of each directory for each of its steps.
 */
MUST_CHECK enum rc directory_log_in(struct db *db, struct arena *arena,
	struct directory_gate *gate, const char *name, const char *password,
	struct user *user, struct fault *fault);

#endif
