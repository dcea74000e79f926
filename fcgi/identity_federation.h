/*
 * identity_federation: logging in by an OpenID provider upstream.
 *
 * /signin-NAME/start leads there, /signin-NAME is where the provider leads
 * back to (RFC 9700 2.1 and 4.4: an address for each, "iss" checked).
 * Whatever is not right ends on a page in words, is in the audit, and makes no
 * session.
 */
#ifndef FG_FCGI_IDENTITY_FEDERATION_H
#define FG_FCGI_IDENTITY_FEDERATION_H

#include "lib/req.h"
#include "lib/resp.h"
#include "model/provider.h"
#include "model/provider_token.h"
#include "model/provider_transaction.h"

struct json_object;

/* amr of the session; the second also when the provider's counts here. */
#define IDENTITY_AMR_FEDERATED        "fed"
#define IDENTITY_AMR_FEDERATED_FACTOR "fed mfa"

/* GET /signin-{provider}/start?next=&fresh=: 303 to the provider. */
MUST_CHECK enum rc identity_signin_start(struct req *req, struct resp *resp);

/* GET /signin-{provider}?state=&code=: 303 to "next", with a session. */
MUST_CHECK enum rc identity_signin(struct req *req, struct resp *resp);

/*
 * Add "providers", a list of {title, href}, to the view of the login page.
 * Nothing is added when it fails: the login page works without.
 */
void identity_providers(struct req *req, struct json_object *view,
	const char *next, bool fresh);

/*
 * Begin a transaction with "provider" and make the address that leads there.
 * Takes provider_id, next, fresh and session_hash; sets the cookie.
 * Fails: as provider_metadata_get and provider_transaction_begin.
 */
MUST_CHECK enum rc identity_signin_begin(struct req *req, struct resp *resp,
	const struct provider *provider,
	struct provider_transaction *transaction, const char **location);

/* Where the way to the provider begins: /signin-NAME/start?… */
const char *identity_signin_address(struct req *req,
	const struct provider *provider, const char *next, bool fresh);

/* identity_refusal.c: a page that says why it did not work; the audit gets
 * "req->fault". */
MUST_CHECK enum rc identity_signin_refuse(struct req *req, struct resp *resp,
	const struct provider *provider,
	const struct provider_transaction *transaction);

#endif
