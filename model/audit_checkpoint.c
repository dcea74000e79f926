/* audit_checkpoint: a signed statement of how far the audit has come. */

#include "model/audit_checkpoint.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/file.h"
#include "lib/seal.h"

#define MARK       "fieldgrid-audit v1 "
#define FILE_BYTES ((size_t)64 * 1024 * 1024)

enum { STMT_LAST, STMT_STORE, STMT_QUERY };

#define COLUMNS " position, hash, made_at, key_id, signature "

const struct stmt audit_checkpoint_stmts[] = {
	[STMT_LAST] = {"audit_checkpoint_last", "",
		"SELECT" COLUMNS "  FROM audit_checkpoint"
		" ORDER BY position DESC LIMIT 1"},
	[STMT_STORE] = {"audit_checkpoint_store", "ibztb",
		"INSERT INTO audit_checkpoint (" COLUMNS ")"
		" VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"},
	[STMT_QUERY] = {"audit_checkpoint_query", "i",
		"SELECT" COLUMNS "  FROM audit_checkpoint"
		" WHERE position >= $1 ORDER BY position"},
	STMT_END,
};

/* --- keys -------------------------------------------------------------- */

static void
name_key(const uint8_t key[AUDIT_KEY_BYTES], char id[AUDIT_KEY_ID_BYTES])
{
	uint8_t hash[SECRET_HASH_BYTES];

	secret_hash(hash, key, AUDIT_KEY_BYTES);
	sodium_bin2hex(id, AUDIT_KEY_ID_BYTES, hash, AUDIT_KEY_ID_BYTES / 2);
}

void
audit_signer_new(
	struct arena *arena, const char **secret_line, const char **public_line)
{
	uint8_t seed[crypto_sign_SEEDBYTES];
	uint8_t key[AUDIT_KEY_BYTES];
	uint8_t secret[crypto_sign_SECRETKEYBYTES];

	secret_random(seed, sizeof(seed));
	crypto_sign_seed_keypair(key, secret, seed);
	*secret_line = arena_printf(
		arena, "%s\n", encode_base64url(arena, seed, sizeof(seed)));
	*public_line = arena_printf(
		arena, "%s\n", encode_base64url(arena, key, sizeof(key)));
	sodium_memzero(seed, sizeof(seed));
	sodium_memzero(secret, sizeof(secret));
}

enum rc
audit_signer_load(struct arena *arena, const char *path,
	struct audit_signer *signer, struct fault *fault)
{
	uint8_t key[AUDIT_KEY_BYTES];
	struct seal seed;
	enum rc rc = seal_load(arena, path, &seed, fault);

	if (rc != RC_OK)
		return rc;
	crypto_sign_seed_keypair(key, signer->secret, seed.key);
	name_key(key, signer->key_id);
	sodium_memzero(&seed, sizeof(seed));
	return RC_OK;
}

enum rc
audit_verifiers_load(struct arena *arena, const char *path,
	struct audit_verifiers *verifiers, struct fault *fault)
{
	struct audit_verifier *items;
	char *text = NULL;
	char *rest;
	enum rc rc = file_read(arena, path, 64 * 1024, &text, NULL, fault);

	if (rc != RC_OK)
		return rc;
	items = arena_array(arena, strlen(text) + 1, sizeof(*items));
	verifiers->count = 0;
	for (char *line = strtok_r(text, "\r\n", &rest); line != NULL;
		line = strtok_r(NULL, "\r\n", &rest)) {
		struct audit_verifier *item = &items[verifiers->count++];
		size_t bytes = 0;
		const uint8_t *key =
			decode_base64url(arena, line, strlen(line), &bytes);

		if (key == NULL || bytes != sizeof(item->key))
			return fault_set(fault, RC_IO,
				"%s: a line is not 32 bytes as base64url",
				path);
		memcpy(item->key, key, sizeof(item->key));
		name_key(item->key, item->key_id);
	}
	verifiers->items = items;
	return RC_OK;
}

/* --- text -------------------------------------------------------------- */

static const char *
signed_text(struct arena *arena, const struct audit_checkpoint *checkpoint)
{
	char time[CLOCK_TEXT_BYTES];

	clock_format(time, checkpoint->made_us);
	return arena_printf(arena,
		MARK "position=%" PRId64 " hash=%s time=%s key=%s",
		checkpoint->position,
		encode_hex(arena, checkpoint->hash, sizeof(checkpoint->hash)),
		time, checkpoint->key_id);
}

const char *
audit_checkpoint_line(
	struct arena *arena, const struct audit_checkpoint *checkpoint)
{
	return arena_printf(arena, "%s signature=%s",
		signed_text(arena, checkpoint),
		encode_base64url(arena, checkpoint->signature,
			sizeof(checkpoint->signature)));
}

void
audit_checkpoint_sign(const struct audit_signer *signer,
	const struct audit_tip *tip, int64_t now_us,
	struct audit_checkpoint *checkpoint)
{
	struct arena *arena = arena_new();
	const char *text;

	checkpoint->position = tip->position;
	memcpy(checkpoint->hash, tip->hash, sizeof(checkpoint->hash));
	checkpoint->made_us = now_us;
	memcpy(checkpoint->key_id, signer->key_id, sizeof(checkpoint->key_id));
	text = signed_text(arena, checkpoint);
	crypto_sign_detached(checkpoint->signature, NULL, (const uint8_t *)text,
		strlen(text), signer->secret);
	arena_free(arena);
}

/* The text between "name" and the next space. */
static char *
find_field(struct arena *arena, const char *line, const char *name)
{
	const char *at = strstr(line, name);

	if (at == NULL)
		return NULL;
	at += strlen(name);
	return arena_strndup(arena, at, strcspn(at, " \t\r\n\"'"));
}

bool
audit_checkpoint_parse(struct arena *arena, const char *line,
	struct audit_checkpoint *checkpoint)
{
	const char *mark = strstr(line, MARK);
	char *position = mark ? find_field(arena, mark, "position=") : NULL;
	char *hash = mark ? find_field(arena, mark, " hash=") : NULL;
	char *time = mark ? find_field(arena, mark, " time=") : NULL;
	char *key = mark ? find_field(arena, mark, " key=") : NULL;
	char *sign = mark ? find_field(arena, mark, " signature=") : NULL;
	size_t hash_bytes = 0;
	size_t sign_bytes = 0;
	const uint8_t *hash_data;
	const uint8_t *sign_data;

	memset(checkpoint, 0, sizeof(*checkpoint));
	if (!position || !hash || !time || !key || !sign ||
		strlen(key) >= AUDIT_KEY_ID_BYTES ||
		!clock_parse(time, &checkpoint->made_us))
		return false;
	hash_data = decode_hex(arena, hash, strlen(hash), &hash_bytes);
	sign_data = decode_base64url(arena, sign, strlen(sign), &sign_bytes);
	if (hash_data == NULL || hash_bytes != sizeof(checkpoint->hash) ||
		sign_data == NULL ||
		sign_bytes != sizeof(checkpoint->signature))
		return false;
	checkpoint->position = strtoll(position, NULL, 10);
	memcpy(checkpoint->hash, hash_data, hash_bytes);
	memcpy(checkpoint->signature, sign_data, sign_bytes);
	snprintf(checkpoint->key_id, sizeof(checkpoint->key_id), "%s", key);
	return checkpoint->position > 0;
}

enum audit_trust
audit_checkpoint_trust(const struct audit_checkpoint *checkpoint,
	const struct audit_verifiers *verifiers)
{
	enum audit_trust trust = AUDIT_UNKNOWN_KEY;
	struct arena *arena = arena_new();
	const char *text = signed_text(arena, checkpoint);

	for (size_t i = 0; i < verifiers->count; i++) {
		const struct audit_verifier *verifier = &verifiers->items[i];

		if (strcmp(verifier->key_id, checkpoint->key_id) != 0)
			continue;
		trust = crypto_sign_verify_detached(checkpoint->signature,
				(const uint8_t *)text, strlen(text),
				verifier->key) == 0
				? AUDIT_TRUSTED
				: AUDIT_FORGED;
	}
	arena_free(arena);
	return trust;
}

/* --- table and file ---------------------------------------------------- */

static void
take(const struct rows *rows, size_t row, struct audit_checkpoint *checkpoint)
{
	memset(checkpoint, 0, sizeof(*checkpoint));
	checkpoint->position = rows_int(rows, row, 0);
	memcpy(checkpoint->hash, rows_bytes(rows, row, 1).data,
		sizeof(checkpoint->hash));
	checkpoint->made_us = rows_time(rows, row, 2);
	snprintf(checkpoint->key_id, sizeof(checkpoint->key_id), "%s",
		rows_text(rows, row, 3));
	memcpy(checkpoint->signature, rows_bytes(rows, row, 4).data,
		sizeof(checkpoint->signature));
}

enum rc
audit_checkpoint_last(struct db *db, struct arena *arena,
	struct audit_checkpoint *last, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &audit_checkpoint_stmts[STMT_LAST],
		NO_PARAMS, &rows, fault);

	memset(last, 0, sizeof(*last));
	if (rc == RC_OK && rows_count(rows) > 0)
		take(rows, 0, last);
	return rc;
}

enum rc
audit_checkpoint_store(struct db *db, const struct audit_checkpoint *checkpoint,
	struct fault *fault)
{
	return db_exec(db, &audit_checkpoint_stmts[STMT_STORE],
		PARAMS(P_INT(checkpoint->position),
			P_BYTES(checkpoint->hash, sizeof(checkpoint->hash)),
			P_TIME(checkpoint->made_us), P_TEXT(checkpoint->key_id),
			P_BYTES(checkpoint->signature,
				sizeof(checkpoint->signature))),
		NULL, fault);
}

enum rc
audit_checkpoint_query(struct db *db, struct arena *arena, int64_t position,
	struct audit_checkpoint_list *list, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &audit_checkpoint_stmts[STMT_QUERY],
		PARAMS(P_INT(position)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	list->count = rows_count(rows);
	list->items = arena_array(arena, list->count + 1, sizeof(*list->items));
	for (size_t i = 0; i < list->count; i++)
		take(rows, i, &list->items[i]);
	return RC_OK;
}

static int
compare(const void *left, const void *right)
{
	const struct audit_checkpoint *one = left;
	const struct audit_checkpoint *other = right;

	return (one->position > other->position) -
	       (one->position < other->position);
}

static size_t
count_lines(const char *text)
{
	size_t lines = 1;

	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

enum rc
audit_checkpoint_load(struct arena *arena, const char *path,
	struct audit_checkpoint_list *list, struct fault *fault)
{
	char *text = NULL;
	char *rest;
	enum rc rc = file_read(arena, path, FILE_BYTES, &text, NULL, fault);

	if (rc != RC_OK)
		return rc;
	list->count = 0;
	list->items =
		arena_array(arena, count_lines(text), sizeof(*list->items));
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest))
		if (audit_checkpoint_parse(
			    arena, line, &list->items[list->count]))
			list->count++;
	qsort(list->items, list->count, sizeof(*list->items), compare);
	return RC_OK;
}
