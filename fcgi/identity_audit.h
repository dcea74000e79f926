/* identity_audit: who got which token, and who did not. */
#ifndef FG_FCGI_IDENTITY_AUDIT_H
#define FG_FCGI_IDENTITY_AUDIT_H

#include "fcgi/identity_sign.h"
#include "lib/req.h"

/* An access token was signed: token.issue, by the user or the client, with
 * the grant, the scopes and the token's jti. Fails: as audit_write. */
MUST_CHECK enum rc identity_audit_token(
	struct req *req, const char *grant_type, const struct bearer *bearer);

/*
 * A client was refused with "rc" and req->fault; client_id NULL = it did not
 * say. Returns "rc", or why the audit could not be written. Our own failures,
 * and a device that asks again, are no refusals.
 */
MUST_CHECK enum rc identity_audit_refusal(
	struct req *req, const char *action, const char *client_id, enum rc rc);

/* A client revoked something of its own: token.revoke. */
MUST_CHECK enum rc identity_audit_revocation(
	struct req *req, const struct client *client, const char *what);

#endif
