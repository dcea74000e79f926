/* failure: how often somebody was wrong. */

#include "model/failure.h"

#include <ctype.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/secret.h"

#define DIGEST_BYTES 16

enum { STMT_WAIT, STMT_COUNT, STMT_FORGET };

const struct stmt failure_stmts[] = {
	[STMT_WAIT] = {"failure_wait", "T",
		"SELECT coalesce(max(ceil(extract(epoch FROM"
		"       blocked_until - now())))::bigint, 0)"
		"  FROM login_failure"
		" WHERE subject = ANY ($1) AND blocked_until > now()"},
	/* $1 subject $2 failures that cost nothing $3 longest wait $4 first */
	[STMT_COUNT] = {"failure_count", "tnnn",
		"INSERT INTO login_failure AS old"
		" (subject, failures, blocked_until) VALUES ($1, 1, now())"
		" ON CONFLICT (subject) DO UPDATE SET"
		"   failures = CASE WHEN old.blocked_until <"
		"       now() - interval '15 minutes'"
		"     THEN 1 ELSE old.failures + 1 END"
		" , blocked_until = now() + interval '1 second' *"
		"     CASE WHEN old.blocked_until <"
		"         now() - interval '15 minutes'"
		"         OR old.failures + 1 < $2 THEN 0"
		"     ELSE least($3, $4 * 2 ^ least(10, old.failures + 1 - $2))"
		"     END"},
	[STMT_FORGET] = {"failure_forget", "t",
		"DELETE FROM login_failure WHERE subject = $1"},
	STMT_END,
};

const char *
failure_subject(struct arena *arena, const char *kind, const char *name,
	const char *address)
{
	char *lower = arena_strdup(arena, name);
	uint8_t hash[SECRET_HASH_BYTES];

	for (char *at = lower; *at != '\0'; at++)
		*at = (char)tolower((unsigned char)*at);
	secret_hash(hash, lower, strlen(lower));
	return arena_printf(arena, "%s:%s%s%s", kind,
		encode_base64url(arena, hash, DIGEST_BYTES),
		address[0] != '\0' ? " " : "", address);
}

enum rc
failure_wait(struct db *db, struct arena *arena, const struct failure_key *keys,
	size_t count, int64_t *wait_s, struct fault *fault)
{
	const char **subjects = arena_array(arena, count, sizeof(*subjects));
	struct rows *rows = NULL;
	enum rc rc;

	for (size_t i = 0; i < count; i++)
		subjects[i] = keys[i].subject;
	rc = db_find(db, arena, &failure_stmts[STMT_WAIT],
		PARAMS(P_TEXTS(subjects, count)), &rows, fault);
	if (rc == RC_OK)
		*wait_s = rows_int(rows, 0, 0);
	return rc;
}

enum rc
failure_count(struct db *db, const struct failure_key *keys, size_t count,
	struct fault *fault)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = db_exec(db, &failure_stmts[STMT_COUNT],
			PARAMS(P_TEXT(keys[i].subject), P_SHORT(keys[i].free),
				P_SHORT(keys[i].wait_s),
				P_SHORT(keys[i].first_s)),
			NULL, fault);
	return rc;
}

enum rc
failure_forget(struct db *db, const char *subject, struct fault *fault)
{
	return db_exec(db, &failure_stmts[STMT_FORGET], PARAMS(P_TEXT(subject)),
		NULL, fault);
}
