/*
 * credential: key and certificate of this node as files, and how they are
 * replaced without ever being without a pair that works.
 *
 * The next pair is KEY.next and CERTIFICATE.next until it has worked at the
 * hub; then both take the places of what was, the key first. Whatever a crash
 * leaves is told apart by which key belongs to which certificate.
 */
#ifndef FG_AGENTS_CREDENTIAL_H
#define FG_AGENTS_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

struct credential {
	const char *ca; /* who may sign; renewed when it lies beside */
	const char *certificate;
	const char *key;
	const char *next_certificate;
	const char *next_key;
};

/* The names in "arena"; nothing is read. */
struct credential credential_of(struct arena *arena, const char *ca,
	const char *certificate, const char *key);

/*
 * Finish, or forget, what was under way when the agent ended. Call it before
 * the files are used. Fails: RC_IO.
 */
MUST_CHECK enum rc credential_settle(struct arena *arena,
	const struct credential *files, struct fault *fault);

/* Is there a next pair, whole, that has not worked yet? */
bool credential_has_next(struct arena *arena, const struct credential *files);

/* When the certificate should be renewed, and when it ends.
 * Fails: RC_IO, RC_BAD_INPUT. */
MUST_CHECK enum rc credential_times(struct arena *arena,
	const struct credential *files, int64_t *renew_us, int64_t *end_us,
	struct fault *fault);

/* Make the next key, and the request for its certificate (base64). */
MUST_CHECK enum rc credential_prepare(struct arena *arena,
	const struct credential *files, const char **csr, struct fault *fault);

/* Keep the certificate for the next key, with who signed it.
 * Fails: RC_UPSTREAM it is for another key; RC_IO. */
MUST_CHECK enum rc credential_accept(struct arena *arena,
	const struct credential *files, const char *pem, struct fault *fault);

/* The next pair has worked: it is the pair. */
MUST_CHECK enum rc credential_switch(
	const struct credential *files, struct fault *fault);

/* The next pair is of no use. */
void credential_discard(const struct credential *files);

/* Trust what the grid says now, when our list lies beside our certificate.
 * Fails: RC_IO. */
MUST_CHECK enum rc credential_trust(struct arena *arena,
	const struct credential *files, const char *bundle_pem,
	struct fault *fault);

#endif
