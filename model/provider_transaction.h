/*
 * provider_transaction: a login that has been sent to a provider and is not
 * back yet.
 *
 * It lasts ten minutes, ends with the first answer, and belongs to the browser
 * that began it: only who has the browser's cookie can finish it. Nonce and
 * PKCE verifier are made from cookie and state, so that the database holds
 * only hashes. The number that wait is limited, per address (IPv6: per /64)
 * and in all.
 */
#ifndef FG_MODEL_PROVIDER_TRANSACTION_H
#define FG_MODEL_PROVIDER_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/secret.h"

#define PROVIDER_TRANSACTION_S        600
#define PROVIDER_TRANSACTIONS_ADDRESS 50
#define PROVIDER_TRANSACTIONS_MAX     20000

extern const struct stmt provider_transaction_stmts[];

struct provider_transaction {
	int64_t provider_id;
	const char *next;            /* path to go to in the end */
	bool fresh;                  /* the person must prove it anew */
	const uint8_t *session_hash; /* whose account to link; NULL = login */
	const char *address;
	const char *cookie; /* of the browser; NULL = make one */
	const char *state;
	/* Made of cookie and state. */
	const char *nonce;
	const char *verifier;
	const char *challenge;
	int64_t created_us;
};

/*
 * Begin one: takes the first members, keeps a good cookie, makes the rest.
 * Fails: RC_TOO_MANY with words for the person.
 */
MUST_CHECK enum rc provider_transaction_begin(struct db *db,
	struct arena *arena, struct provider_transaction *transaction,
	struct fault *fault);

/*
 * End the one that provider_id, cookie and state name, and fill in the rest.
 * Fails: RC_DENIED, with the reason for the log: it is not there (any more),
 *        too old, of another provider or of another browser. One that came
 *        back to the wrong provider is spent: answers have been mixed up.
 */
MUST_CHECK enum rc provider_transaction_end(struct db *db, struct arena *arena,
	struct provider_transaction *transaction, struct fault *fault);

/* Delete those that never came back. */
MUST_CHECK enum rc provider_transaction_sweep(
	struct db *db, struct fault *fault);

#endif
