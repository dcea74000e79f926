/*
 * identity_link: linking an account of its own to a person of a provider.
 *
 * Only who has just logged in here with a password may do it, so that nobody
 * who finds an open session makes a way in of his own; and nothing is ever
 * linked because names or e-mail addresses are alike.
 */
#ifndef FG_FCGI_IDENTITY_LINK_H
#define FG_FCGI_IDENTITY_LINK_H

#include "fcgi/identity_federation.h"
#include "model/user.h"

/* POST /account/link and /account/unlink, of a form with "provider". */
MUST_CHECK enum rc identity_link_begin(struct req *req, struct resp *resp);
MUST_CHECK enum rc identity_unlink(struct req *req, struct resp *resp);

/*
 * The end of identity_link_begin: "person" came back from "provider".
 * Fails: RC_DENIED the session is another one now; RC_CONFLICT.
 */
MUST_CHECK enum rc identity_link(struct req *req, struct resp *resp,
	const struct provider *provider,
	const struct provider_transaction *transaction,
	const struct provider_person *person);

/* Add "links", a list of {provider, title, linked}, to the view of /account;
 * it stays away for accounts that a source keeps. */
MUST_CHECK enum rc identity_links(
	struct req *req, struct json_object *view, const struct user *user);

#endif
