/*
 * audit_checkpoint: a signed statement of how far the audit has come.
 *
 * Who can change the database can make the whole chain anew, or cut off its
 * end. Neither fits the checkpoints, which are signed with a key that is not
 * in the database (Ed25519, RFC 8032) and copied to other places. As text:
 *
 *	fieldgrid-audit v1 position=N hash=HEX time=UTC key=HEX signature=B64URL
 *
 * signed is everything before " signature=". "key" is the beginning of the
 * SHA-256 of the public key.
 */
#ifndef FG_MODEL_AUDIT_CHECKPOINT_H
#define FG_MODEL_AUDIT_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/audit_chain.h"

#define AUDIT_KEY_BYTES       32
#define AUDIT_KEY_ID_BYTES    17 /* 16 hexadecimal digits */
#define AUDIT_SIGNATURE_BYTES 64

extern const struct stmt audit_checkpoint_stmts[];

struct audit_checkpoint {
	int64_t position; /* 0 = there is none */
	uint8_t hash[SECRET_HASH_BYTES];
	int64_t made_us;
	char key_id[AUDIT_KEY_ID_BYTES];
	uint8_t signature[AUDIT_SIGNATURE_BYTES];
};

/* What signs; wiped by whoever loaded it. */
struct audit_signer {
	uint8_t secret[64];
	char key_id[AUDIT_KEY_ID_BYTES];
};

/* What verifies: one public key. */
struct audit_verifier {
	uint8_t key[AUDIT_KEY_BYTES];
	char key_id[AUDIT_KEY_ID_BYTES];
};

struct audit_verifiers {
	size_t count;
	const struct audit_verifier *items;
};

/* A new key: the line of the secret file and that of the public one. */
void audit_signer_new(struct arena *arena, const char **secret_line,
	const char **public_line);
/* Fails: RC_IO as seal_load. */
MUST_CHECK enum rc audit_signer_load(struct arena *arena, const char *path,
	struct audit_signer *signer, struct fault *fault);
/* Public keys, one a line as base64url. Fails: RC_IO. */
MUST_CHECK enum rc audit_verifiers_load(struct arena *arena, const char *path,
	struct audit_verifiers *verifiers, struct fault *fault);

void audit_checkpoint_sign(const struct audit_signer *signer,
	const struct audit_tip *tip, int64_t now_us,
	struct audit_checkpoint *checkpoint);

/* The line without a newline, in "arena". */
const char *audit_checkpoint_line(
	struct arena *arena, const struct audit_checkpoint *checkpoint);
/* Find and read one in a line, whatever stands before it, as in a syslog. */
MUST_CHECK bool audit_checkpoint_parse(struct arena *arena, const char *line,
	struct audit_checkpoint *checkpoint);

enum audit_trust { AUDIT_TRUSTED, AUDIT_UNKNOWN_KEY, AUDIT_FORGED };
enum audit_trust audit_checkpoint_trust(
	const struct audit_checkpoint *checkpoint,
	const struct audit_verifiers *verifiers);

MUST_CHECK enum rc audit_checkpoint_last(struct db *db, struct arena *arena,
	struct audit_checkpoint *last, struct fault *fault);
MUST_CHECK enum rc audit_checkpoint_store(struct db *db,
	const struct audit_checkpoint *checkpoint, struct fault *fault);

struct audit_checkpoint_list {
	size_t count;
	struct audit_checkpoint *items; /* by position */
};

/* Every one in the table at or above "position". */
MUST_CHECK enum rc audit_checkpoint_query(struct db *db, struct arena *arena,
	int64_t position, struct audit_checkpoint_list *list,
	struct fault *fault);
/* Every one in a file. Lines that hold none are skipped.
 * Fails: RC_IO; RC_TOO_LARGE above 64 MiB. */
MUST_CHECK enum rc audit_checkpoint_load(struct arena *arena, const char *path,
	struct audit_checkpoint_list *list, struct fault *fault);

#endif
