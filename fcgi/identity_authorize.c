/* identity_authorize: /connect/authorize, the code flow with PKCE. */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_consent.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
#include "fcgi/identity_wish.h"
#include "lib/jwt.h"
#include "lib/log.h"
#include "model/audit.h"
#include "model/consent.h"
#include "model/grant.h"

/* --- answers by redirect ----------------------------------------------- */

static const char *
add_param(struct arena *arena, const char *uri, const char *name,
	const char *value)
{
	if (value == NULL)
		return uri;
	return arena_printf(arena, "%s%c%s=%s", uri,
		strchr(uri, '?') != NULL ? '&' : '?', name,
		percent_encode(arena, value));
}

static enum rc
redirect(struct req *req, struct resp *resp, const struct wish *wish,
	const char *uri)
{
	uri = add_param(req->arena, uri, "state", wish->state);
	uri = add_param(req->arena, uri, "iss", identity_of(req)->conf->issuer);
	resp_redirect(resp, uri);
	oauth_no_store(resp);
	return RC_OK;
}

static enum rc
redirect_error(struct req *req, struct resp *resp, const struct wish *wish,
	const char *error, const char *description)
{
	const char *uri =
		add_param(req->arena, wish->redirect_uri, "error", error);

	uri = add_param(req->arena, uri, "error_description", description);
	log_info(req->id, "authorize refused: client=%s error=%s",
		wish->client.client_id, error);
	return redirect(req, resp, wish, uri);
}

/* --- what is wrong before there is anywhere to redirect to ------------- */

static enum rc
own_page(struct req *req, struct resp *resp, const char *message)
{
	log_info(req->id, "authorize refused: %s", message);
	return page_problem(req, resp, 400,
		"This application asked in a wrong way", message);
}

/* --- the person -------------------------------------------------------- */

/* This request again as an address, for after the login, which has then been
 * asked for already: max_age is left out, and of prompt all but consent. */
static const char *
own_address(struct req *req, const struct wish *wish)
{
	const char *uri = "/connect/authorize";

	for (size_t i = 0; i < wish->pairs.count; i++) {
		const struct pair *pair = &wish->pairs.items[i];

		if (strcmp(pair->name, "prompt") != 0 &&
			strcmp(pair->name, "max_age") != 0)
			uri = add_param(req->arena, uri,
				percent_encode(req->arena, pair->name),
				pair->value);
	}
	return wish_prompts(wish, "consent")
		       ? add_param(req->arena, uri, "prompt", "consent")
		       : uri;
}

/* "fresh": even a person who is logged in must prove it again. */
enum login { LOGIN_ANY, LOGIN_FRESH };

static enum rc
send_to_login(struct req *req, struct resp *resp, const struct wish *wish,
	enum login login)
{
	const char *uri =
		add_param(req->arena, "/login", "next", own_address(req, wish));

	if (wish_prompts(wish, "none"))
		return redirect_error(req, resp, wish, "login_required",
			"nobody is logged in");
	if (login == LOGIN_FRESH)
		uri = add_param(req->arena, uri, "fresh", "1");
	uri = add_param(req->arena, uri, "name", wish->login_hint);
	resp_redirect(resp, uri);
	oauth_no_store(resp);
	return RC_OK;
}

/* A hint that names another person than the one who is here.
 * Fails: login_required, invalid_request. */
static enum rc
check_hint(struct req *req, const struct wish *wish, const struct user *user)
{
	struct json_object *claims = NULL;
	char uuid[UUID_TEXT_BYTES];
	const char *subject;
	enum rc rc;

	if (wish->hint == NULL)
		return RC_OK;
	rc = caller_read_token(identity_of(req)->gate, req, wish->hint, "id",
		NULL, true, &claims);
	if (rc == RC_UNAUTHENTICATED)
		return oauth_refuse(
			req, "invalid_request", "id_token_hint is not ours");
	if (rc != RC_OK)
		return rc;
	uuid_format(uuid, user->uuid);
	subject = jwt_claim_text(claims, "sub");
	return subject != NULL && strcmp(subject, uuid) == 0
		       ? RC_OK
		       : oauth_refuse(req, "login_required",
				 "another user is logged in");
}

static enum rc
give_code(struct req *req, struct resp *resp, const struct wish *wish,
	const struct session *session)
{
	struct grant grant = {
		.client_id = wish->client.id,
		.user_id = session->user_id,
		.scopes = wish->scopes,
		.auth_time_us = session->auth_time_us,
		.session_hash = session->hash,
		.redirect_uri = wish->redirect_uri,
		.redirect_uri_sent = wish->redirect_uri_sent,
		.nonce = wish->nonce,
		.challenge = wish->challenge,
	};
	const char *code = NULL;
	enum rc rc;

	uuid_random(grant.family);
	rc = grant_code_create(req->db, req->arena, &grant, &code, &req->fault);
	if (rc != RC_OK)
		return rc;
	log_info(req->id, "authorized: client=%s user=%lld",
		wish->client.client_id, (long long)session->user_id);
	return redirect(req, resp, wish,
		add_param(req->arena, wish->redirect_uri, "code", code));
}

/* --- consent ----------------------------------------------------------- */

static enum rc
must_ask(struct req *req, const struct wish *wish, const struct person *person,
	bool *ask)
{
	bool covered = false;
	enum rc rc = RC_OK;

	*ask = wish_prompts(wish, "consent");
	if (*ask || wish->client.trusted)
		return RC_OK;
	rc = consent_covers(req->db, req->arena, person->user.id,
		wish->client.id, wish->scopes, &covered, &req->fault);
	*ask = !covered;
	if (rc == RC_OK && *ask && wish_prompts(wish, "none"))
		rc = oauth_refuse(req, "consent_required",
			"the user has not allowed this yet");
	return rc;
}

/* Only what we know goes into the form, so that a client cannot bring along
 * the answer of the person. */
static void
add_hidden(struct json_object *view, const struct wish *wish)
{
	static const char *const names[] = {"client_id", "redirect_uri",
		"response_type", "response_mode", "scope", "state", "nonce",
		"code_challenge", "code_challenge_method", "id_token_hint"};
	struct json_object *list = json_object_new_array();

	json_object_object_add(view, "hidden", list);
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		const char *value = pairs_find(&wish->pairs, names[i]);
		struct json_object *item;

		if (value == NULL)
			continue;
		item = json_object_new_object();
		page_text(item, "name", names[i]);
		page_text(item, "value", value);
		json_object_array_add(list, item);
	}
}

static enum rc
ask_for_consent(struct req *req, struct resp *resp, const struct wish *wish,
	const struct person *person)
{
	struct json_object *view = person_view(req, person);

	page_text(view, "name", person->user.name);
	consent_describe(view, &wish->client, wish->scopes);
	add_hidden(view, wish);
	return page_answer(req, resp, 200, "identity/consent", view);
}

static enum rc
decide(struct req *req, struct resp *resp, const struct wish *wish)
{
	struct person person;
	bool ask = false;
	enum rc rc = person_find(req, &person);

	if (rc == RC_UNAUTHENTICATED)
		return send_to_login(req, resp, wish, LOGIN_ANY);
	if (rc != RC_OK)
		return rc;
	if (wish_wants_login(wish, &person.session))
		return send_to_login(req, resp, wish, LOGIN_FRESH);
	rc = check_hint(req, wish, &person.user);
	if (rc == RC_OK)
		rc = must_ask(req, wish, &person, &ask);
	if (rc != RC_OK)
		return rc;
	return ask ? ask_for_consent(req, resp, wish, &person)
		   : give_code(req, resp, wish, &person.session);
}

/* --- the endpoints ----------------------------------------------------- */

/* What is left of a request after the errors that have a page of their own;
 * false when one of those was answered, or *rc is no RC_OK. */
static bool
read_wish(struct req *req, struct resp *resp, struct wish *wish, enum rc *rc)
{
	const char *problem = NULL;

	*rc = req->method == METHOD_POST ? req_form(req, &wish->pairs)
					 : req_query(req, &wish->pairs);
	if (*rc != RC_OK)
		problem = "Its request is malformed.";
	else
		*rc = wish_find_client(req, wish, &problem);
	if (problem != NULL)
		*rc = own_page(req, resp, problem);
	return *rc == RC_OK && problem == NULL;
}

enum rc
identity_authorize(struct req *req, struct resp *resp)
{
	struct wish wish = {.redirect_uri = NULL};
	enum rc rc;

	if (!read_wish(req, resp, &wish, &rc))
		return rc;
	rc = wish_check(req, &wish);
	if (rc == RC_OK)
		rc = decide(req, resp, &wish);
	if (rc == RC_BAD_INPUT)
		return redirect_error(
			req, resp, &wish, req->fault.code, req->fault.client);
	return rc;
}

static enum rc
keep_consent(struct req *req, const struct wish *wish,
	const struct person *person, const char *result)
{
	const struct audit row = {
		.action = "consent.give",
		.object = arena_printf(
			req->arena, "client:%s", wish->client.client_id),
		.result = result,
		.after = audit_values(req->arena, "scope",
			oauth_join(req->arena, wish->scopes), NULL),
	};
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	if (strcmp(result, AUDIT_OK) == 0)
		rc = consent_give(req->db, person->user.id, wish->client.id,
			wish->scopes, &req->fault);
	if (rc == RC_OK)
		rc = audit_write(req, &row);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

/* A redirect in answer to a form may not leave the site (CSP form-action): it
 * becomes a page that goes on. */
static enum rc
leave(struct req *req, struct resp *resp, const char *said, enum rc rc)
{
	for (size_t i = 0; rc == RC_OK && i < resp->headers_count; i++)
		if (strcmp(resp->headers[i].name, "Location") == 0) {
			const char *uri = resp->headers[i].value;

			resp_clear(resp);
			return page_continue(req, resp, said, uri);
		}
	return rc;
}

static enum rc
answer_person(struct req *req, struct resp *resp, const struct wish *wish,
	const struct person *person)
{
	const char *decision = pairs_find(&wish->pairs, "decision");
	enum rc rc;

	if (decision == NULL || strcmp(decision, "allow") != 0) {
		rc = keep_consent(req, wish, person, AUDIT_REFUSED);
		if (rc == RC_OK)
			rc = oauth_refuse(
				req, "access_denied", "the user said no");
		return rc;
	}
	rc = check_hint(req, wish, &person->user);
	if (rc == RC_OK)
		rc = keep_consent(req, wish, person, AUDIT_OK);
	return rc == RC_OK ? give_code(req, resp, wish, &person->session) : rc;
}

enum rc
identity_consent(struct req *req, struct resp *resp)
{
	struct wish wish = {.redirect_uri = NULL};
	struct person person;
	enum rc rc;

	if (!read_wish(req, resp, &wish, &rc))
		return rc;
	rc = person_of_form(req, &wish.pairs, &person);
	if (rc != RC_OK)
		return rc;
	rc = wish_check(req, &wish);
	if (rc == RC_OK)
		rc = answer_person(req, resp, &wish, &person);
	if (rc == RC_BAD_INPUT)
		rc = redirect_error(
			req, resp, &wish, req->fault.code, req->fault.client);
	return leave(req, resp, "Back to the application", rc);
}
