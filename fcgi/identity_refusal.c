/* identity_refusal: the page of a login by a provider that did not work. */

#include "fcgi/identity_federation.h"

#include "fcgi/identity_event.h"
#include "fcgi/identity_page.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/audit.h"

static enum rc
write_refusal(struct req *req, const struct provider *provider)
{
	const struct audit_actor actor = {
		.kind = "nobody", .address = req->address, .request = req->id};
	const struct audit what = {.action = "login.refused",
		.object =
			arena_printf(req->arena, "provider:%s", provider->name),
		.result = AUDIT_REFUSED,
		.after = audit_values(req->arena, "reason",
			arena_strdup(req->arena, req->fault.text), NULL)};
	struct fault fault;
	const char *text = arena_printf(
		req->arena, "refused by way of %s", provider->title);
	enum rc rc = audit_write_by(req->db, &actor, &what, &fault);

	if (rc == RC_OK)
		return identity_event(req, IDENTITY_EVENT_REFUSED, NULL, text);
	return fault_set(&req->fault, rc, "%s", fault.text);
}

/* What a person can do something with; the reason itself is in the log. */
static const char *
words_for(struct req *req, const struct provider *provider, enum rc rc)
{
	switch (rc) {
	case RC_TOO_MANY:
		return arena_strdup(req->arena, req->fault.client);
	case RC_UNAVAILABLE:
		return arena_printf(req->arena,
			"%s does not answer at the moment. Try again in a "
			"minute.",
			provider->title);
	case RC_UPSTREAM:
		return arena_printf(req->arena,
			"Logging in by %s does not work at the moment. Tell "
			"your administrator.",
			provider->title);
	case RC_BAD_INPUT:
		return arena_printf(req->arena,
			"%s did not say who you are in a way that can be used "
			"here. Tell your administrator.",
			provider->title);
	case RC_UNAUTHENTICATED:
		return "Your account here is not active. Ask your "
		       "administrator.";
	default:
		return req->fault.client[0] != '\0'
			       ? arena_strdup(req->arena, req->fault.client)
			       : "This log-in was begun too long ago, in "
				 "another browser, or has been used. Begin "
				 "again.";
	}
}

static int
status_for(enum rc rc)
{
	return rc == RC_DENIED || rc == RC_UNAUTHENTICATED
		       ? 403
		       : fault_public(rc)->status;
}

enum rc
identity_signin_refuse(struct req *req, struct resp *resp,
	const struct provider *provider,
	const struct provider_transaction *transaction)
{
	bool linking = transaction->session_hash != NULL;
	enum rc rc = req->fault.rc;
	const char *words = words_for(req, provider, rc);
	struct json_object *view = page_view(req);
	char now[CLOCK_TEXT_BYTES];

	if (rc == RC_DB || rc == RC_BUG || rc == RC_IO || rc == RC_RETRY)
		return rc;
	log_warn(req->id, "login by %s refused: address=%s: %s", provider->name,
		req->address, req->fault.text);
	clock_format(now, clock_now_us());
	page_text(view, "message", words);
	page_text(view, "title",
		linking ? "Your account was not linked"
			: "You are not logged in");
	page_text(view, "again",
		linking ? transaction->next
			: identity_signin_address(req, provider,
				  transaction->next, transaction->fresh));
	if (!linking)
		page_text(view, "login", "/login");
	page_text(view, "request", req->id);
	page_text(view, "time", now);
	if (rc == RC_UNAVAILABLE || rc == RC_TOO_MANY)
		resp_header(resp, "Retry-After", "10");
	if (write_refusal(req, provider) != RC_OK)
		return req->fault.rc;
	return page_answer(
		req, resp, status_for(rc), "identity/federation", view);
}
