/*
 * authority: who signs the certificates of nodes, and the list of those that
 * count no more.
 *
 * A root, whose key is in a file that the operator takes away, signs issuing
 * authorities. Their keys are in the database, sealed with a key that is only
 * in a file; the newest one signs, older ones are trusted until they end.
 */
#ifndef FG_MODEL_AUTHORITY_H
#define FG_MODEL_AUTHORITY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/seal.h"
#include "lib/tls_issue.h"

extern const struct stmt authority_stmts[];

struct authority {
	int64_t id;
	const char *key_id; /* subject key identifier, hexadecimal */
	const char *certificate_pem;
	int64_t not_before_us;
	int64_t not_after_us;
	int64_t valid_count; /* certificates of nodes that are not at their end
			      */
};

struct authority_list {
	size_t count;
	struct authority *items;
};

/* Those that have not ended, the newest, which signs, first. */
MUST_CHECK enum rc authority_list(struct db *db, struct arena *arena,
	struct authority_list *list, struct fault *fault);

/* From now on this one signs.
 * Fails: RC_BAD_INPUT it cannot be read; RC_CONFLICT it is there already. */
MUST_CHECK enum rc authority_add(struct db *db, struct arena *arena,
	const struct seal *seal, const struct tls_identity *made,
	struct fault *fault);

/* What signs, with its key; "id" is that of its row.
 * Fails: RC_NOT_FOUND there is none; RC_BUG it is sealed with another key. */
MUST_CHECK enum rc authority_load(struct db *db, struct arena *arena,
	const struct seal *seal, int64_t *id, struct tls_identity *identity,
	struct fault *fault);

/* A list of revoked certificates, as it is published. */
struct authority_crl {
	int64_t number;
	int64_t made_us;
	int64_t next_us;
	struct bytes der;
};

/*
 * The list of the authority that signs. It is made anew when it is an hour old
 * or when a certificate was revoked or a node changed since.
 * Fails: as authority_load.
 */
MUST_CHECK enum rc authority_crl(struct db *db, struct arena *arena,
	const struct seal *seal, struct authority_crl *crl,
	struct fault *fault);

#endif
