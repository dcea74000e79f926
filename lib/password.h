/*
 * password: argon2id hashes of passwords (libsodium, t=2, m=19 MiB), as PHC
 * strings.
 */
#ifndef FG_LIB_PASSWORD_H
#define FG_LIB_PASSWORD_H

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define PASSWORD_BYTES_MIN 8
#define PASSWORD_BYTES_MAX 256

/*
 * At most "slots" hashes at once among all processes that name the same lock
 * file; a process that dies gives its slot back. Without password_limit every
 * process is on its own.
 * Fails: RC_IO the file cannot be made.
 */
MUST_CHECK enum rc password_limit(
	const char *lock_path, int slots, struct fault *fault);

/*
 * The passwords that everybody tries first, one a line, in lower case and
 * sorted by bytes; static/vendor.sh makes the file. Every program that sets
 * passwords loads it at start.
 * Fails: RC_IO the file is missing, or too short to be it; RC_TOO_LARGE.
 */
MUST_CHECK enum rc password_list_load(const char *path, struct fault *fault);

/* Fails: RC_BAD_INPUT with words for the user: too short, too long, too well
 *        known. */
MUST_CHECK enum rc password_check(const char *password, struct fault *fault);

/* Needs: password_check. Fails: RC_UNAVAILABLE no slot within 2 s. */
MUST_CHECK enum rc password_hash(struct arena *arena, const char *password,
	const char **hash, struct fault *fault);

/*
 * Compare with a hash. A NULL hash (there is no such user) takes as long and
 * is never equal.
 * Fails: RC_UNAUTHENTICATED it is another password; RC_UNAVAILABLE as above.
 */
MUST_CHECK enum rc password_verify(
	const char *hash, const char *password, struct fault *fault);

/* The hash was made with other parameters than today's. */
bool password_is_dated(const char *hash);

#endif
