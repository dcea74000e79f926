/*
 * device: a client on a thing without a browser (RFC 8628). It polls with a
 * long code while a person, somewhere else, types a short one and decides.
 */
#ifndef FG_MODEL_DEVICE_H
#define FG_MODEL_DEVICE_H

#include <stdint.h>

#include "lib/db.h"
#include "model/grant.h"
#include "model/session.h"

#define DEVICE_LIFE_S            600
#define DEVICE_INTERVAL_S        5
#define DEVICE_USER_CODE_LETTERS 8

extern const struct stmt device_stmts[];

struct device_codes {
	const char *device_code;
	const char *user_code; /* as shown: WDJB-MJHT */
};

/* What a person decides about. */
struct device {
	uint8_t hash[SECRET_HASH_BYTES];
	const char *client_id;
	const char **scopes; /* NULL-terminated */
	const char *address; /* that asked */
	int64_t created_us;
};

/* Fails: RC_UNAVAILABLE no free user code was found. */
MUST_CHECK enum rc device_create(struct db *db, struct arena *arena,
	int64_t client_id, const char *const *scopes, const char *address,
	struct device_codes *codes, struct fault *fault);

enum device_state {
	DEVICE_PENDING,   /* nobody has decided yet */
	DEVICE_SLOW_DOWN, /* too soon: 5 s longer between polls from now on */
	DEVICE_DENIED,
	DEVICE_EXPIRED,
	DEVICE_GRANTED
};

/*
 * Has somebody decided? With DEVICE_GRANTED the code is used up and "grant" is
 * what they gave: client, user, family, sid, scopes and auth_time.
 * Fails: RC_NOT_FOUND unknown, used, or of another client.
 * Needs: no open transaction: a poll that comes too soon must stay noted.
 */
MUST_CHECK enum rc device_poll(struct db *db, struct arena *arena,
	const char *device_code, int64_t client_id, struct grant *grant,
	enum device_state *state, struct fault *fault);

/* By what a person typed: case, spaces and dashes do not matter.
 * Fails: RC_NOT_FOUND unknown, expired or decided. */
MUST_CHECK enum rc device_find(struct db *db, struct arena *arena,
	const char *user_code, struct device *device, struct fault *fault);

/* Fails: RC_NOT_FOUND it has expired or was decided in the meantime. */
MUST_CHECK enum rc device_approve(struct db *db, const struct device *device,
	const struct session *session, struct fault *fault);
MUST_CHECK enum rc device_deny(struct db *db, const struct device *device,
	const struct session *session, struct fault *fault);

#endif
