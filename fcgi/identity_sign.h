/* identity_sign: access and ID tokens, and the key that signs them. */
#ifndef FG_FCGI_IDENTITY_SIGN_H
#define FG_FCGI_IDENTITY_SIGN_H

#include "lib/req.h"
#include "model/client.h"
#include "model/grant.h"
#include "model/user.h"

struct identity;

/* For whom a token is. */
struct bearer {
	const struct client *client;
	const struct user *user;   /* NULL for the client itself */
	const struct grant *grant; /* NULL for the client itself */
	const char *const *scopes;
	const uint8_t *fingerprint; /* of the certificate; NULL = not bound */
	uint8_t jti[UUID_BYTES];    /* of the access token, once it is signed */
};

/* With the algorithm of the client. Fails: RC_UNAVAILABLE, RC_DB, RC_BUG. */
MUST_CHECK enum rc identity_sign_access(
	struct req *req, struct bearer *bearer, const char **token);

/* "access" is hashed into it (at_hash). */
MUST_CHECK enum rc identity_sign_id(struct req *req,
	const struct bearer *bearer, const char *access, const char **token);

/* What to tell of a user, as far as the scopes go. */
struct identity_claims {
	bool profile; /* name, preferred_username */
	bool email;
	bool roles;             /* groups and roles, by name */
	size_t names_bytes_max; /* of them, else none; 0 = all */
};

struct jsonw;
MUST_CHECK enum rc identity_write_profile(struct req *req, struct jsonw *json,
	const struct user *user, const struct identity_claims *wanted);

/* The service's rights_changed: keys may have changed, read them anew. */
void identity_rights_changed(const void *app);
/* Free the parsed keys, at the end of the worker. */
void identity_forget_signers(const struct identity *identity);

#endif
