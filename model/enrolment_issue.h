/*
 * enrolment_issue: a machine becomes a node.
 *
 * An administrator hands over a token. With it the machine asks for a
 * certificate for a key that it alone has, and this certificate fetches its
 * access data; both together let it in.
 */
#ifndef FG_MODEL_ENROLMENT_ISSUE_H
#define FG_MODEL_ENROLMENT_ISSUE_H

#include "lib/tls.h"
#include "lib/tls_issue.h"
#include "lib/tls_request.h"
#include "model/enrolment.h"

#define ENROLMENT_WRONG_MAX 5 /* attempts with another token */

extern const struct stmt enrolment_issue_stmts[];

struct enrolment_token {
	const char *secret; /* 128 random bits as base64url; seen only now */
	int64_t expires_us;
};

/* A token for the next day, instead of one that there was.
 * Fails: RC_CONFLICT the node is blocked or retired. */
MUST_CHECK enum rc enrolment_offer(struct db *db, struct arena *arena,
	int64_t node_id, struct enrolment_token *token, struct fault *fault);

/*
 * The node whose token this is. A wrong one is counted, and after five the
 * token is dead; call it outside of a transaction, so that this stays.
 * Fails: RC_UNAUTHENTICATED with one text for everything.
 */
MUST_CHECK enum rc enrolment_check(struct db *db, struct arena *arena,
	const uint8_t uuid[UUID_BYTES], const char *secret,
	struct enrolled *node, struct fault *fault);

/* Who signs, and for how long. */
struct enrolment_signer {
	int64_t authority_id; /* 0 = one that is not in the database */
	struct tls_identity identity;
	int64_t life_s;
};

struct enrolment_asked {
	const struct tls_request *request;
	const char *address;
};

struct enrolment_answer {
	bool pending; /* an administrator has to look at it first */
	bool again;   /* it has been issued before */
	const char *certificate_pem;
};

/*
 * Issue the certificate for the token's one use, in one transaction. The same
 * key gets the same certificate again as long as the token would live and the
 * certificate has not been used, because an answer may get lost.
 * Fails: RC_DENIED KeyRefused; RC_UNAUTHENTICATED the token was used up.
 */
MUST_CHECK enum rc enrolment_admit(struct db *db, struct arena *arena,
	const struct enrolment_signer *signer, const struct enrolled *node,
	const struct enrolment_asked *asked, struct enrolment_answer *answer,
	struct fault *fault);

/* The waiting key may have its certificate; "key_hash" NULL = whichever it is.
 * Fails: RC_NOT_FOUND no request waits; RC_CONFLICT it is another key's. */
MUST_CHECK enum rc enrolment_approve(struct db *db, struct arena *arena,
	int64_t node_id, const uint8_t *key_hash, struct fault *fault);

/*
 * The next certificate of a node that holds a good one, whose fingerprint is
 * given. Others that were never used end now; the one in use ends when the
 * next one is seen (node_note_certificate).
 * Fails: RC_DENIED KeyRefused.
 */
MUST_CHECK enum rc enrolment_renew(struct db *db, struct arena *arena,
	const struct enrolment_signer *signer, const struct enrolled *node,
	const uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
	const struct tls_request *request, const char **certificate_pem,
	struct fault *fault);

/*
 * Make a key and a certificate for a node that fetches neither itself; the
 * private key is nowhere but in *identity.
 * Fails: as tls_issue_node; RC_DB.
 */
MUST_CHECK enum rc enrolment_issue(struct db *db, struct arena *arena,
	const struct enrolled *node, const struct enrolment_signer *signer,
	struct tls_identity *identity, struct fault *fault);

/* This certificate of the node is accepted no more.
 * Fails: RC_NOT_FOUND it has no such good one. */
MUST_CHECK enum rc enrolment_revoke(struct db *db, int64_t node_id,
	const uint8_t fingerprint[TLS_FINGERPRINT_BYTES], struct fault *fault);

#endif
