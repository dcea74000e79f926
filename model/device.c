/* device: a client on a thing without a browser (RFC 8628). */

#include "model/device.h"

#include <string.h>

#define CODE_TRIES 4

enum { STMT_CREATE, STMT_POLL, STMT_USE, STMT_FIND, STMT_DECIDE };

const struct stmt device_stmts[] = {
	/* $1 hash $2 hash of the user code $3 client $4 scopes $5 address
	 * $6 sid $7 family $8 seconds */
	[STMT_CREATE] = {"device_create", "bbnTtuun",
		"INSERT INTO device_code (hash, user_hash, client_id, scopes"
		", address, sid, family, expires_at)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7"
		", now() + $8 * interval '1 second')"
		" ON CONFLICT (user_hash) DO NOTHING"},
	/* $1 hash $2 client. The old row says when the last poll was. */
	[STMT_POLL] = {"device_poll", "bn",
		"UPDATE device_code AS new"
		"   SET polled_at = now()"
		"     , interval_s = old.interval_s + CASE WHEN old.too_soon"
		"                                          THEN 5 ELSE 0 END"
		"  FROM (SELECT hash"
		"             , interval_s"
		"             , coalesce(polled_at > now() - interval_s *"
		"                   interval '1 second', false) AS too_soon"
		"          FROM device_code"
		"         WHERE hash = $1"
		"           AND client_id = $2"
		"           AND state <> 'used'"
		"           FOR UPDATE) AS old"
		" WHERE new.hash = old.hash"
		" RETURNING new.state"
		"     , new.expires_at <= now()"
		"     , old.too_soon"},
	[STMT_USE] = {"device_use", "b",
		"UPDATE device_code SET state = 'used'"
		" WHERE hash = $1 AND state = 'approved' AND expires_at > now()"
		" RETURNING client_id"
		"     , account_id"
		"     , family"
		"     , sid"
		"     , scopes"
		"     , auth_time"
		"     , amr"},
	[STMT_FIND] = {"device_find", "b",
		"SELECT device_code.hash"
		"     , client.client_id"
		"     , device_code.scopes"
		"     , device_code.address"
		"     , device_code.created_at"
		"  FROM device_code"
		"  JOIN client ON client.id = device_code.client_id"
		" WHERE device_code.user_hash = $1"
		"   AND device_code.state = 'pending'"
		"   AND device_code.expires_at > now()"},
	/* $1 hash $2 state $3 user $4 auth_time $5 amr */
	[STMT_DECIDE] = {"device_decide", "btnzT",
		"UPDATE device_code"
		"   SET state = $2, account_id = $3, auth_time = $4, amr = $5"
		" WHERE hash = $1 AND state = 'pending' AND expires_at > now()"
		" RETURNING true"},
	STMT_END,
};

/* --- codes ------------------------------------------------------------- */

/* No vowels, so no words; 20^8 of them (RFC 8628 6.1). */
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";

static const char *
make_user_code(struct arena *arena)
{
	char code[DEVICE_USER_CODE_LETTERS + 1] = "";

	for (size_t i = 0; i < DEVICE_USER_CODE_LETTERS; i++) {
		uint8_t random;

		do
			secret_random(&random, 1);
		while (random >= 240); /* each letter is as likely */
		code[i] = letters[random % 20];
	}
	return arena_printf(arena, "%.4s-%.4s", code, code + 4);
}

/* False when it cannot be a user code. */
static bool
hash_user_code(uint8_t hash[SECRET_HASH_BYTES], const char *typed)
{
	char code[DEVICE_USER_CODE_LETTERS];
	size_t count = 0;

	for (; *typed != '\0'; typed++) {
		char letter = *typed;

		if (letter == '-' || letter == ' ')
			continue;
		if (letter >= 'a' && letter <= 'z')
			letter = (char)(letter - 'a' + 'A');
		if (strchr(letters, letter) == NULL || count == sizeof(code))
			return false;
		code[count++] = letter;
	}
	secret_hash(hash, code, count);
	return count == sizeof(code);
}

static enum rc
insert(struct db *db, struct arena *arena, int64_t client_id,
	const char *const *scopes, const char *address,
	struct device_codes *codes, int64_t *inserted, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	uint8_t user_hash[SECRET_HASH_BYTES];
	uint8_t sid[UUID_BYTES];
	uint8_t family[UUID_BYTES];
	size_t count = 0;

	while (scopes[count] != NULL)
		count++;
	codes->device_code = secret_token(arena);
	codes->user_code = make_user_code(arena);
	secret_hash(hash, codes->device_code, strlen(codes->device_code));
	if (!hash_user_code(user_hash, codes->user_code))
		return fault_set(fault, RC_BUG, "a user code is malformed");
	uuid_random(sid);
	uuid_random(family);
	return db_exec(db, &device_stmts[STMT_CREATE],
		PARAMS(P_BYTES(hash, sizeof(hash)),
			P_BYTES(user_hash, sizeof(user_hash)),
			P_SHORT(client_id), P_TEXTS(scopes, count),
			P_TEXT(address), P_UUID(sid), P_UUID(family),
			P_SHORT(DEVICE_LIFE_S)),
		inserted, fault);
}

enum rc
device_create(struct db *db, struct arena *arena, int64_t client_id,
	const char *const *scopes, const char *address,
	struct device_codes *codes, struct fault *fault)
{
	int64_t inserted = 0;
	enum rc rc = RC_OK;

	for (int i = 0; i < CODE_TRIES && rc == RC_OK && inserted == 0; i++)
		rc = insert(db, arena, client_id, scopes, address, codes,
			&inserted, fault);
	if (rc == RC_OK && inserted == 0)
		rc = fault_set(fault, RC_UNAVAILABLE, "no free user code");
	return rc;
}

/* --- the device -------------------------------------------------------- */

static enum device_state
judge(const struct rows *rows)
{
	const char *state = rows_text(rows, 0, 0);

	if (rows_bool(rows, 0, 1))
		return DEVICE_EXPIRED;
	if (strcmp(state, "denied") == 0)
		return DEVICE_DENIED;
	if (rows_bool(rows, 0, 2))
		return DEVICE_SLOW_DOWN;
	return strcmp(state, "pending") == 0 ? DEVICE_PENDING : DEVICE_GRANTED;
}

static enum rc
use(struct db *db, struct arena *arena, const uint8_t *hash,
	struct grant *grant, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_find(db, arena, &device_stmts[STMT_USE],
		PARAMS(P_BYTES(hash, SECRET_HASH_BYTES)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	*grant = (struct grant){
		.client_id = rows_int(rows, 0, 0),
		.user_id = rows_int(rows, 0, 1),
		.scopes = rows_texts(rows, arena, 0, 4),
		.auth_time_us = rows_time(rows, 0, 5),
		.amr = (const char *const *)rows_texts(rows, arena, 0, 6),
	};
	memcpy(grant->family, rows_uuid(rows, 0, 2), UUID_BYTES);
	memcpy(grant->sid, rows_uuid(rows, 0, 3), UUID_BYTES);
	return RC_OK;
}

enum rc
device_poll(struct db *db, struct arena *arena, const char *device_code,
	int64_t client_id, struct grant *grant, enum device_state *state,
	struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	secret_hash(hash, device_code, strlen(device_code));
	rc = db_find(db, arena, &device_stmts[STMT_POLL],
		PARAMS(P_BYTES(hash, sizeof(hash)), P_SHORT(client_id)), &rows,
		fault);
	if (rc != RC_OK)
		return rc;
	*state = judge(rows);
	return *state == DEVICE_GRANTED ? use(db, arena, hash, grant, fault)
					: RC_OK;
}

/* --- the person -------------------------------------------------------- */

enum rc
device_find(struct db *db, struct arena *arena, const char *user_code,
	struct device *device, struct fault *fault)
{
	uint8_t hash[SECRET_HASH_BYTES];
	struct rows *rows = NULL;
	enum rc rc;

	if (!hash_user_code(hash, user_code))
		return fault_set(fault, RC_NOT_FOUND, "no user code");
	rc = db_find(db, arena, &device_stmts[STMT_FIND],
		PARAMS(P_BYTES(hash, sizeof(hash))), &rows, fault);
	if (rc != RC_OK)
		return rc;
	memcpy(device->hash, rows_bytes(rows, 0, 0).data, SECRET_HASH_BYTES);
	device->client_id = rows_text(rows, 0, 1);
	device->scopes = rows_texts(rows, arena, 0, 2);
	device->address = rows_text(rows, 0, 3);
	device->created_us = rows_time(rows, 0, 4);
	return RC_OK;
}

static enum rc
decide(struct db *db, const struct device *device, const char *state,
	const struct session *session, struct fault *fault)
{
	int64_t changed = 0;
	size_t methods = 0;
	enum rc rc;

	while (session->amr[methods] != NULL)
		methods++;
	rc = db_exec(db, &device_stmts[STMT_DECIDE],
		PARAMS(P_BYTES(device->hash, SECRET_HASH_BYTES), P_TEXT(state),
			P_SHORT(session->user_id),
			P_TIME(session->auth_time_us),
			P_TEXTS(session->amr, methods)),
		&changed, fault);

	if (rc == RC_OK && changed == 0)
		rc = fault_set(fault, RC_NOT_FOUND, "decided or expired");
	return rc;
}

enum rc
device_approve(struct db *db, const struct device *device,
	const struct session *session, struct fault *fault)
{
	return decide(db, device, "approved", session, fault);
}

enum rc
device_deny(struct db *db, const struct device *device,
	const struct session *session, struct fault *fault)
{
	return decide(db, device, "denied", session, fault);
}
