/* identity_sign: access and ID tokens, and the key that signs them. */
#ifndef FG_FCGI_IDENTITY_SIGN_H
#define FG_FCGI_IDENTITY_SIGN_H

#include "lib/req.h"
#include "model/client.h"
#include "model/grant.h"
#include "model/user.h"

/* For whom a token is. */
struct bearer {
	const struct client *client;
	const struct user *user;   /* NULL for the client itself */
	const struct grant *grant; /* NULL for the client itself */
	const char *const *scopes;
	const uint8_t *fingerprint; /* of the certificate; NULL = not bound */
};

/* Do what the clock demands: rotate keys, sweep; at most once an hour. */
MUST_CHECK enum rc identity_upkeep(struct req *req);

/* Fails: RC_NOT_FOUND never; RC_UNAVAILABLE, RC_DB, RC_BUG. */
MUST_CHECK enum rc identity_sign_access(
	struct req *req, const struct bearer *bearer, const char **token);

/* "access" is hashed into it (at_hash). */
MUST_CHECK enum rc identity_sign_id(struct req *req,
	const struct bearer *bearer, const char *access, const char **token);

/* name, preferred_username and email, as far as the scopes go. */
struct jsonw;
void identity_write_profile(
	struct jsonw *json, const struct user *user, bool profile, bool email);

#endif
