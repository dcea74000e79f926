/* enrolment_issue: a machine becomes a node. */

#include "model/enrolment_issue.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/secret.h"

#define TOKEN_BYTES  16
#define TOKEN_LIFE_S 86400

enum {
	STMT_OFFER,
	STMT_CHECK,
	STMT_WRONG,
	STMT_LOCK,
	STMT_USED,
	STMT_USE,
	STMT_AGAIN,
	STMT_REFUSED,
	STMT_ASK,
	STMT_APPROVE,
	STMT_WAITING,
	STMT_ANSWERED,
	STMT_ENTER,
	STMT_CERTIFY,
	STMT_UNUSED,
	STMT_REVOKE,
};

const struct stmt enrolment_issue_stmts[] = {
	/* $1 node $2 hash $3 seconds */
	[STMT_OFFER] = {"enrolment_offer", "nbn",
		"INSERT INTO enrolment_token (node_id, hash, expires_at)"
		" SELECT id, $2, now() + make_interval(secs => $3) FROM node"
		"  WHERE id = $1 AND state IN ('pending', 'authorised')"
		" ON CONFLICT (node_id) DO UPDATE"
		" SET hash = excluded.hash"
		"   , created_at = now()"
		"   , expires_at = excluded.expires_at"
		"   , wrong = 0"
		"   , used_at = NULL"
		" RETURNING expires_at"},
	[STMT_CHECK] = {"enrolment_check", "un",
		"SELECT node.id, node.uuid, node.name, node.kind, node.state"
		"     , node.needs_approval, token.hash"
		"  FROM enrolment_token AS token"
		"  JOIN node ON node.id = token.node_id"
		" WHERE node.uuid = $1"
		"   AND node.state IN ('pending', 'authorised')"
		"   AND token.expires_at > now()"
		"   AND token.wrong < $2"},
	[STMT_WRONG] = {"enrolment_wrong", "n",
		"UPDATE enrolment_token SET wrong = wrong + 1"
		" WHERE node_id = $1"},
	/* One request of a node at a time, and none while it is blocked. */
	[STMT_LOCK] = {"enrolment_lock", "n",
		"SELECT id FROM node"
		" WHERE id = $1 AND state IN ('pending', 'authorised')"
		" FOR NO KEY UPDATE"},
	/* Whether the token has had its use already. */
	[STMT_USED] = {"enrolment_used", "n",
		"SELECT used_at IS NOT NULL FROM enrolment_token"
		" WHERE node_id = $1"},
	[STMT_USE] = {"enrolment_use", "n",
		"UPDATE enrolment_token SET used_at = now()"
		" WHERE node_id = $1"},
	[STMT_AGAIN] = {"enrolment_again", "nb",
		"SELECT held.certificate"
		"  FROM node_certificate AS held"
		"  JOIN enrolment_token AS token ON token.node_id = "
		"held.node_id"
		" WHERE held.node_id = $1"
		"   AND held.key_hash = $2"
		"   AND held.issued_at >= token.created_at"
		"   AND held.seen_at IS NULL"
		"   AND held.revoked_at IS NULL"
		"   AND held.certificate IS NOT NULL"
		" ORDER BY held.issued_at DESC LIMIT 1"},
	/* A key is one node's, and not again when it was shut out with it. */
	[STMT_REFUSED] = {"enrolment_refused", "nb",
		"SELECT node.name"
		"  FROM node_certificate AS held"
		"  JOIN node ON node.id = held.node_id"
		" WHERE held.key_hash = $2"
		"   AND (node.id <> $1"
		"        OR node.state IN ('blocked', 'retired')"
		"        OR held.reason = 'revoked')"
		" LIMIT 1"},
	/* Another key takes the place, and waits from the beginning. */
	[STMT_ASK] = {"enrolment_ask", "nbt",
		"INSERT INTO enrolment_request AS waiting"
		" (node_id, key_hash, address) VALUES ($1, $2, $3)"
		" ON CONFLICT (node_id) DO UPDATE"
		" SET key_hash = excluded.key_hash"
		"   , address = excluded.address"
		"   , asked_at = CASE"
		"     WHEN waiting.key_hash = excluded.key_hash"
		"     THEN waiting.asked_at ELSE now() END"
		"   , approved_at = CASE"
		"     WHEN waiting.key_hash = excluded.key_hash"
		"     THEN waiting.approved_at END"
		" RETURNING approved_at IS NOT NULL"},
	[STMT_APPROVE] = {"enrolment_approve", "nb",
		"UPDATE enrolment_request SET approved_at = now()"
		" WHERE node_id = $1 AND key_hash = coalesce($2, key_hash)"},
	[STMT_WAITING] = {"enrolment_waiting", "n",
		"SELECT key_hash FROM enrolment_request WHERE node_id = $1"},
	[STMT_ANSWERED] = {"enrolment_answered", "n",
		"DELETE FROM enrolment_request WHERE node_id = $1"},
	[STMT_ENTER] = {"enrolment_enter", "n",
		"UPDATE node SET state = 'authorised'"
		"  , changed_at = CASE WHEN state = 'authorised'"
		"                 THEN changed_at ELSE now() END"
		"  , access_due = true"
		" WHERE id = $1 AND state IN ('pending', 'authorised')"},
	/* $1 fingerprint $2 node $3 serial $4 begin $5 end $6 key $7
	 * authority $8 certificate */
	[STMT_CERTIFY] = {"enrolment_certify", "bntzzbnt",
		"INSERT INTO node_certificate"
		" (fingerprint, node_id, serial, not_before, not_after"
		", key_hash, authority_id, certificate)"
		" VALUES ($1, $2, $3, $4, $5, $6, nullif($7, 0), $8)"},
	/* $1 node $2 fingerprint that stays */
	[STMT_UNUSED] = {"enrolment_unused", "nb",
		"UPDATE node_certificate"
		"   SET revoked_at = now(), reason = 'superseded'"
		" WHERE node_id = $1 AND fingerprint <> $2"
		"   AND seen_at IS NULL AND revoked_at IS NULL"},
	[STMT_REVOKE] = {"enrolment_revoke", "nb",
		"UPDATE node_certificate"
		"   SET revoked_at = now(), reason = 'revoked'"
		" WHERE node_id = $1 AND fingerprint = $2"
		"   AND revoked_at IS NULL"},
	STMT_END,
};

/* --- the token --- */

enum rc
enrolment_offer(struct db *db, struct arena *arena, int64_t node_id,
	struct enrolment_token *token, struct fault *fault)
{
	uint8_t random[TOKEN_BYTES];
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	secret_random(random, sizeof(random));
	token->secret = encode_base64url(arena, random, sizeof(random));
	secret_hash(hash, token->secret, strlen(token->secret));
	rc = db_find(db, arena, &enrolment_issue_stmts[STMT_OFFER],
		PARAMS(P_SHORT(node_id), P_BYTES(hash, sizeof(hash)),
			P_SHORT(TOKEN_LIFE_S)),
		&rows, fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, RC_CONFLICT, "NodeState", NULL,
			"A blocked or retired node gets no token.");
	if (rc == RC_OK)
		token->expires_us = rows_time(rows, 0, 0);
	return rc;
}

static enum rc
refuse_token(struct fault *fault)
{
	return fault_tell(fault, RC_UNAUTHENTICATED, "InvalidToken", NULL,
		"The enrolment token is not valid: wrong, used, too old, or "
		"taken back. Ask for a new one.");
}

static void
read_node(const struct rows *rows, struct enrolled *node)
{
	node->id = rows_int(rows, 0, 0);
	memcpy(node->uuid, rows_uuid(rows, 0, 1), UUID_BYTES);
	node->name = rows_text(rows, 0, 2);
	node->kind = rows_text(rows, 0, 3);
	node->state = rows_text(rows, 0, 4);
	node->needs_approval = rows_bool(rows, 0, 5);
}

enum rc
enrolment_check(struct db *db, struct arena *arena,
	const uint8_t uuid[UUID_BYTES], const char *secret,
	struct enrolled *node, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	struct bytes stored;
	enum rc rc = db_find(db, arena, &enrolment_issue_stmts[STMT_CHECK],
		PARAMS(P_UUID(uuid), P_SHORT(ENROLMENT_WRONG_MAX)), &rows,
		fault);

	if (rc == RC_NOT_FOUND)
		return refuse_token(fault);
	if (rc != RC_OK)
		return rc;
	read_node(rows, node);
	secret_hash(hash, secret, strlen(secret));
	stored = rows_bytes(rows, 0, 6);
	if (secret_equal(stored.data, hash, sizeof(hash)))
		return RC_OK;
	rc = db_exec(db, &enrolment_issue_stmts[STMT_WRONG],
		PARAMS(P_SHORT(node->id)), NULL, fault);
	return rc == RC_OK ? refuse_token(fault) : rc;
}

/* --- the certificate --- */

static enum rc
check_key(struct db *db, struct arena *arena, int64_t node_id,
	const uint8_t *key_hash, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &enrolment_issue_stmts[STMT_REFUSED],
		PARAMS(P_SHORT(node_id), P_BYTES(key_hash, TLS_KEY_HASH_BYTES)),
		&rows, fault);

	if (rc == RC_NOT_FOUND)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	return fault_tell(fault, RC_DENIED, "KeyRefused", NULL,
		"This key belongs to another node, or was shut out. Make a "
		"new one.");
}

static enum rc
remember(struct db *db, struct arena *arena, int64_t node_id,
	int64_t authority_id, const char *certificate_pem, struct fault *fault)
{
	struct tls_facts facts;
	enum rc rc = tls_read(arena, certificate_pem, &facts, fault);

	if (rc != RC_OK)
		return rc;
	return db_exec(db, &enrolment_issue_stmts[STMT_CERTIFY],
		PARAMS(P_BYTES(facts.fingerprint, TLS_FINGERPRINT_BYTES),
			P_SHORT(node_id), P_TEXT(facts.serial),
			P_TIME(facts.not_before_us), P_TIME(facts.not_after_us),
			P_BYTES(facts.key_hash, TLS_KEY_HASH_BYTES),
			P_SHORT(authority_id), P_TEXT(certificate_pem)),
		NULL, fault);
}

static enum rc
issue(struct db *db, struct arena *arena, const struct enrolment_signer *signer,
	const struct enrolled *node, const struct tls_request *request,
	const char **certificate_pem, struct fault *fault)
{
	enum rc rc = tls_issue_requested(arena, &signer->identity, node->uuid,
		request, signer->life_s, certificate_pem, fault);

	if (rc == RC_OK)
		rc = remember(db, arena, node->id, signer->authority_id,
			*certificate_pem, fault);
	return rc;
}

enum rc
enrolment_issue(struct db *db, struct arena *arena, const struct enrolled *node,
	const struct enrolment_signer *signer, struct tls_identity *identity,
	struct fault *fault)
{
	enum rc rc = tls_issue_node(arena, &signer->identity, node->uuid,
		signer->life_s, identity, fault);

	if (rc == RC_OK)
		rc = remember(db, arena, node->id, signer->authority_id,
			identity->certificate_pem, fault);
	return rc;
}

static enum rc
run(struct db *db, int statement, int64_t node_id, struct fault *fault)
{
	return db_exec(db, &enrolment_issue_stmts[statement],
		PARAMS(P_SHORT(node_id)), NULL, fault);
}

/* The answer that got lost, for the same key. */
static enum rc
find_again(struct db *db, struct arena *arena, int64_t node_id,
	const uint8_t *key_hash, struct enrolment_answer *answer,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &enrolment_issue_stmts[STMT_AGAIN],
		PARAMS(P_SHORT(node_id), P_BYTES(key_hash, TLS_KEY_HASH_BYTES)),
		&rows, fault);

	if (rc == RC_NOT_FOUND)
		return refuse_token(fault);
	if (rc != RC_OK)
		return rc;
	answer->again = true;
	answer->certificate_pem = rows_text(rows, 0, 0);
	return RC_OK;
}

static enum rc
ask(struct db *db, struct arena *arena, const struct enrolled *node,
	const struct enrolment_asked *asked, bool *approved,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &enrolment_issue_stmts[STMT_ASK],
		PARAMS(P_SHORT(node->id),
			P_BYTES(asked->request->key_hash, TLS_KEY_HASH_BYTES),
			P_TEXT(asked->address)),
		&rows, fault);

	if (rc == RC_OK)
		*approved = rows_bool(rows, 0, 0);
	return rc;
}

/* With the node locked and its token not used. */
static enum rc
let_in(struct db *db, struct arena *arena,
	const struct enrolment_signer *signer, const struct enrolled *node,
	const struct enrolment_asked *asked, struct enrolment_answer *answer,
	struct fault *fault)
{
	bool approved = !node->needs_approval;
	enum rc rc =
		check_key(db, arena, node->id, asked->request->key_hash, fault);

	if (rc == RC_OK && !approved)
		rc = ask(db, arena, node, asked, &approved, fault);
	answer->pending = !approved;
	if (rc != RC_OK || !approved)
		return rc;
	rc = issue(db, arena, signer, node, asked->request,
		&answer->certificate_pem, fault);
	if (rc == RC_OK)
		rc = run(db, STMT_USE, node->id, fault);
	if (rc == RC_OK)
		rc = run(db, STMT_ANSWERED, node->id, fault);
	if (rc == RC_OK)
		rc = run(db, STMT_ENTER, node->id, fault);
	return rc;
}

static enum rc
admit(struct db *db, struct arena *arena, const struct enrolment_signer *signer,
	const struct enrolled *node, const struct enrolment_asked *asked,
	struct enrolment_answer *answer, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &enrolment_issue_stmts[STMT_LOCK],
		PARAMS(P_SHORT(node->id)), &rows, fault);

	if (rc == RC_OK)
		rc = db_find(db, arena, &enrolment_issue_stmts[STMT_USED],
			PARAMS(P_SHORT(node->id)), &rows, fault);
	if (rc == RC_NOT_FOUND)
		return refuse_token(fault); /* blocked just now */
	if (rc != RC_OK)
		return rc;
	if (rows_bool(rows, 0, 0))
		return find_again(db, arena, node->id, asked->request->key_hash,
			answer, fault);
	return let_in(db, arena, signer, node, asked, answer, fault);
}

static enum rc
end(struct db *db, enum rc rc, struct fault *fault)
{
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
enrolment_admit(struct db *db, struct arena *arena,
	const struct enrolment_signer *signer, const struct enrolled *node,
	const struct enrolment_asked *asked, struct enrolment_answer *answer,
	struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	*answer = (struct enrolment_answer){.pending = false};
	if (rc != RC_OK)
		return rc;
	return end(db, admit(db, arena, signer, node, asked, answer, fault),
		fault);
}

enum rc
enrolment_approve(struct db *db, struct arena *arena, int64_t node_id,
	const uint8_t *key_hash, struct fault *fault)
{
	struct rows *rows = NULL;
	int64_t affected = 0;
	enum rc rc = db_find(db, arena, &enrolment_issue_stmts[STMT_WAITING],
		PARAMS(P_SHORT(node_id)), &rows, fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, rc, "NoRequest", NULL,
			"No machine waits to become this node.");
	if (rc == RC_OK)
		rc = db_exec(db, &enrolment_issue_stmts[STMT_APPROVE],
			PARAMS(P_SHORT(node_id),
				key_hash != NULL
					? P_BYTES(key_hash, TLS_KEY_HASH_BYTES)
					: P_NULL('b')),
			&affected, fault);
	if (rc == RC_OK && affected == 0)
		return fault_tell(fault, RC_CONFLICT, "OtherKey", "key",
			"Another key waits; look at it first.");
	return rc;
}

static enum rc
renew(struct db *db, struct arena *arena, const struct enrolment_signer *signer,
	const struct enrolled *node, const uint8_t *fingerprint,
	const struct tls_request *request, const char **certificate_pem,
	struct fault *fault)
{
	enum rc rc = check_key(db, arena, node->id, request->key_hash, fault);

	if (rc == RC_OK)
		rc = db_exec(db, &enrolment_issue_stmts[STMT_UNUSED],
			PARAMS(P_SHORT(node->id),
				P_BYTES(fingerprint, TLS_FINGERPRINT_BYTES)),
			NULL, fault);
	if (rc == RC_OK)
		rc = issue(db, arena, signer, node, request, certificate_pem,
			fault);
	return rc;
}

enum rc
enrolment_renew(struct db *db, struct arena *arena,
	const struct enrolment_signer *signer, const struct enrolled *node,
	const uint8_t fingerprint[TLS_FINGERPRINT_BYTES],
	const struct tls_request *request, const char **certificate_pem,
	struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	return end(db,
		renew(db, arena, signer, node, fingerprint, request,
			certificate_pem, fault),
		fault);
}

enum rc
enrolment_revoke(struct db *db, int64_t node_id,
	const uint8_t fingerprint[TLS_FINGERPRINT_BYTES], struct fault *fault)
{
	int64_t affected = 0;
	enum rc rc = db_exec(db, &enrolment_issue_stmts[STMT_REVOKE],
		PARAMS(P_SHORT(node_id),
			P_BYTES(fingerprint, TLS_FINGERPRINT_BYTES)),
		&affected, fault);

	if (rc == RC_OK && affected == 0)
		return fault_set(fault, RC_NOT_FOUND, "no such certificate");
	return rc;
}
