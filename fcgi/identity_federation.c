/* identity_federation: logging in by an OpenID provider upstream. */

#include "fcgi/identity_federation.h"

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_link.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/audit.h"
#include "model/user_link.h"
#include "model/user_links.h"

/* Shared by the tabs of a browser; each has a state of its own. */
#define COOKIE "__Host-gridsignin"

/* --- going there ------------------------------------------------------- */

const char *
identity_signin_address(struct req *req, const struct provider *provider,
	const char *next, bool fresh)
{
	return arena_printf(req->arena, "/signin-%s/start?next=%s%s",
		provider->name, percent_encode(req->arena, next),
		fresh ? "&fresh=1" : "");
}

/* Of the login page. Fails: RC_NOT_FOUND it is not there, or disabled. */
static enum rc
find_provider(struct req *req, struct provider *provider)
{
	enum rc rc = provider_find(req->db, req->arena,
		req_arg(req, "provider"), provider, &req->fault);

	if (rc == RC_NOT_FOUND || (rc == RC_OK && !provider->active))
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", NULL,
			"There is no such way to log in.");
	return rc;
}

static const char *
callback_address(struct req *req, const struct provider *provider)
{
	return arena_printf(req->arena, "%s/signin-%s",
		identity_of(req)->conf->issuer, provider->name);
}

static const char *
add(struct arena *arena, const char *url, const char *name, const char *value)
{
	return arena_printf(arena, "%s%c%s=%s", url,
		strchr(url, '?') != NULL ? '&' : '?', name,
		percent_encode(arena, value));
}

static const char *
join(struct arena *arena, const char *const *words)
{
	const char *text = "";

	for (; *words != NULL; words++)
		text = arena_printf(arena, "%s%s%s", text,
			text[0] != '\0' ? " " : "", *words);
	return text;
}

static const char *
authorization_url(struct req *req, const struct provider *provider,
	const struct provider_metadata *metadata,
	const struct provider_transaction *transaction)
{
	struct arena *arena = req->arena;
	const char *url = metadata->authorization_endpoint;

	url = add(arena, url, "response_type", "code");
	url = add(arena, url, "response_mode", "query");
	url = add(arena, url, "client_id", provider->client_id);
	url = add(arena, url, "redirect_uri", callback_address(req, provider));
	url = add(arena, url, "scope",
		join(arena, (const char *const *)provider->scopes));
	url = add(arena, url, "state", transaction->state);
	url = add(arena, url, "nonce", transaction->nonce);
	url = add(arena, url, "code_challenge", transaction->challenge);
	url = add(arena, url, "code_challenge_method", "S256");
	if (transaction->fresh)
		url = add(arena, url, "prompt", "login");
	return url;
}

static void
set_cookie(struct req *req, struct resp *resp, const char *value, int seconds)
{
	resp_header_add(resp, "Set-Cookie",
		arena_printf(req->arena,
			COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Lax; "
			       "Max-Age=%d",
			value, seconds));
}

enum rc
identity_signin_begin(struct req *req, struct resp *resp,
	const struct provider *provider,
	struct provider_transaction *transaction, const char **location)
{
	struct provider_metadata metadata;
	enum rc rc = provider_metadata_get(req->db, req->arena,
		identity_of(req)->providers, provider, PROVIDER_KNOWN,
		&metadata, &req->fault);

	if (rc != RC_OK)
		return rc;
	transaction->provider_id = provider->id;
	transaction->address = req->address;
	transaction->cookie = req_cookie(req, COOKIE);
	rc = provider_transaction_begin(
		req->db, req->arena, transaction, &req->fault);
	if (rc != RC_OK)
		return rc;
	set_cookie(req, resp, transaction->cookie, PROVIDER_TRANSACTION_S);
	*location = authorization_url(req, provider, &metadata, transaction);
	return RC_OK;
}

/* A picture or a frame of another page begins nothing: it would only use up
 * what this address may begin. */
static enum rc
check_page(struct req *req)
{
	const char *goal = req_header(req, "Sec-Fetch-Dest");

	if (goal != NULL && strcmp(goal, "document") != 0)
		return fault_tell(&req->fault, RC_DENIED, "NotAPage", NULL,
			"Open this address as a page.");
	return RC_OK;
}

enum rc
identity_signin_start(struct req *req, struct resp *resp)
{
	struct provider_transaction transaction = {.session_hash = NULL};
	struct provider provider = {.name = NULL};
	struct pairs query;
	const char *location = NULL;
	enum rc rc = check_page(req);

	if (rc == RC_OK)
		rc = req_query(req, &query);
	if (rc == RC_OK)
		rc = find_provider(req, &provider);
	if (rc != RC_OK)
		return rc;
	transaction.next = page_next(pairs_find(&query, "next"));
	transaction.fresh = pairs_find(&query, "fresh") != NULL;
	rc = identity_signin_begin(
		req, resp, &provider, &transaction, &location);
	if (rc != RC_OK)
		return identity_signin_refuse(
			req, resp, &provider, &transaction);
	resp_redirect(resp, location);
	oauth_no_store(resp);
	return RC_OK;
}

void
identity_providers(
	struct req *req, struct json_object *view, const char *next, bool fresh)
{
	struct json_object *buttons = json_object_new_array();
	struct provider_list list = {.count = 0};
	struct fault fault;

	json_object_object_add(view, "providers", buttons);
	if (provider_active(req->db, req->arena, &list, &fault) != RC_OK) {
		log_warn(req->id, "login page without providers: %s",
			fault.text);
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		struct json_object *button = json_object_new_object();

		page_text(button, "title", list.items[i].title);
		page_text(button, "href",
			identity_signin_address(
				req, &list.items[i], next, fresh));
		json_object_array_add(buttons, button);
	}
	json_object_object_add(
		view, "has_providers", json_object_new_boolean(list.count > 0));
}

/* --- coming back ------------------------------------------------------- */

/* The answer of a provider. */
struct answer {
	const char *state;
	const char *code;
	const char *issuer;
	const char *error;
	const char *description;
};

static enum rc
read_answer(struct req *req, struct answer *answer)
{
	const struct {
		const char *name;
		const char **text;
	} wanted[] = {
		{"state", &answer->state},
		{"code", &answer->code},
		{"iss", &answer->issuer},
		{"error", &answer->error},
		{"error_description", &answer->description},
	};
	struct pairs query;
	enum rc rc = req_query(req, &query);

	for (size_t i = 0; i < ARRAY_LENGTH(wanted) && rc == RC_OK; i++) {
		*wanted[i].text = pairs_find(&query, wanted[i].name);
		if (pairs_count(&query, wanted[i].name) > 1)
			rc = fault_set(&req->fault, RC_DENIED,
				"the answer has two of %s", wanted[i].name);
	}
	if (rc == RC_OK && answer->state == NULL)
		rc = fault_set(
			&req->fault, RC_DENIED, "the answer has no state");
	return rc;
}

static enum rc
end_transaction(struct req *req, const struct provider *provider,
	const struct answer *answer, struct provider_transaction *transaction)
{
	transaction->provider_id = provider->id;
	transaction->state = answer->state;
	transaction->cookie = req_cookie(req, COOKIE);
	return provider_transaction_end(
		req->db, req->arena, transaction, &req->fault);
}

/* RFC 9207 2.4: required from those that promise it, right when it is there. */
static enum rc
check_issuer(struct req *req, const struct provider *provider,
	const struct provider_metadata *metadata, const struct answer *answer)
{
	if (answer->issuer == NULL && metadata->says_issuer)
		return fault_set(&req->fault, RC_DENIED,
			"the answer does not say who gave it (iss)");
	if (answer->issuer != NULL &&
		strcmp(answer->issuer, provider->issuer) != 0)
		return fault_set(&req->fault, RC_DENIED,
			"the answer is of another issuer (iss)");
	return RC_OK;
}

/* Only letters of RFC 6749's names, so that nobody can write on our page. */
static const char *
error_name(struct req *req, const char *error)
{
	size_t length = strspn(error, "abcdefghijklmnopqrstuvwxyz_");

	return arena_strndup(req->arena, error, length < 64 ? length : 64);
}

static enum rc
check_error(struct req *req, const struct provider *provider,
	const struct answer *answer)
{
	const char *name;

	if (answer->error == NULL && answer->code != NULL)
		return RC_OK;
	if (answer->error == NULL)
		return fault_set(
			&req->fault, RC_DENIED, "the answer has no code");
	name = error_name(req, answer->error);
	log_warn(req->id, "provider %s: %s: %.200s", provider->name, name,
		answer->description != NULL ? answer->description : "");
	if (strcmp(answer->error, "access_denied") == 0)
		return fault_tell(&req->fault, RC_DENIED, "LoginRefused", NULL,
			"%s did not let you in, or you broke off.",
			provider->title);
	return fault_tell(&req->fault, RC_DENIED, "LoginRefused", NULL,
		"%s answers \"%s\".", provider->title, name);
}

static enum rc
get_person(struct req *req, const struct provider *provider,
	const struct answer *answer,
	const struct provider_transaction *transaction,
	struct provider_person *person)
{
	const struct provider_gate *gate = identity_of(req)->providers;
	struct provider_metadata metadata;
	enum rc rc = provider_metadata_get(req->db, req->arena, gate, provider,
		PROVIDER_KNOWN, &metadata, &req->fault);

	if (rc == RC_OK)
		rc = check_issuer(req, provider, &metadata, answer);
	if (rc == RC_OK)
		rc = check_error(req, provider, answer);
	if (rc == RC_OK)
		rc = provider_token_get(req->db, req->arena, gate, provider,
			transaction, answer->code,
			callback_address(req, provider), &metadata, person,
			&req->fault);
	if (rc == RC_DENIED && req->fault.client[0] == '\0')
		return fault_tell(&req->fault, rc, "LoginRefused", NULL,
			"The answer of %s could not be trusted: %.150s.",
			provider->title,
			arena_strdup(req->arena, req->fault.text));
	return rc;
}

/* Somebody new gets an account only where that is allowed. */
static enum rc
check_known(struct req *req, const struct provider *provider,
	const struct provider_person *person)
{
	bool known = false;
	enum rc rc;

	if (provider->create_accounts)
		return RC_OK;
	rc = user_links_known(req->db, req->arena, provider->issuer,
		person->subject, &known, &req->fault);
	if (rc == RC_OK && !known)
		return fault_tell(&req->fault, RC_DENIED, "LoginRefused", NULL,
			"You have no account here. Ask your administrator.");
	return rc;
}

static enum rc
let_in(struct req *req, struct resp *resp, const struct provider *provider,
	const struct provider_person *person, const char *next)
{
	const struct outside_user outside = {
		.source = provider_source(req->arena, provider),
		.issuer = provider->issuer,
		.subject = person->subject,
		.name = person->name,
		.full_name = person->full_name,
		.email = person->email,
		.groups = person->groups,
		.groups_unknown = person->groups_unknown,
	};
	struct user user;
	enum rc rc = check_known(req, provider, person);

	if (rc == RC_OK)
		rc = user_link_adopt(
			req->db, req->arena, &outside, &user, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (person->groups_unknown && provider->groups_claim[0] != '\0')
		log_warn(req->id,
			"provider %s: %s is in more groups than fit into a "
			"token; memberships stay as they were",
			provider->name, user.name);
	return identity_let_in(req, resp, &user,
		person->second_factor ? IDENTITY_AMR_FEDERATED_FACTOR
				      : IDENTITY_AMR_FEDERATED,
		outside.source, next);
}

static enum rc
go_on(struct req *req, struct resp *resp, const struct provider *provider,
	const struct answer *answer, struct provider_transaction *transaction)
{
	struct provider_person person = {.subject = NULL};
	enum rc rc = get_person(req, provider, answer, transaction, &person);

	if (rc != RC_OK)
		return rc;
	set_cookie(req, resp, "", 0);
	if (transaction->session_hash != NULL)
		return identity_link(req, resp, provider, transaction, &person);
	return let_in(req, resp, provider, &person, transaction->next);
}

enum rc
identity_signin(struct req *req, struct resp *resp)
{
	struct provider_transaction transaction = {.next = "/"};
	struct answer answer = {.state = NULL};
	struct provider provider = {.name = NULL};
	enum rc rc = find_provider(req, &provider);

	if (rc != RC_OK)
		return rc;
	rc = read_answer(req, &answer);
	if (rc == RC_OK)
		rc = end_transaction(req, &provider, &answer, &transaction);
	if (rc == RC_OK)
		rc = go_on(req, resp, &provider, &answer, &transaction);
	return rc == RC_OK ? RC_OK
			   : identity_signin_refuse(
				     req, resp, &provider, &transaction);
}
