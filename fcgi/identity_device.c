/* identity_device: logging in on a thing without a browser (RFC 8628): the
 * endpoint that it asks, and the page on which a person decides. */

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_consent.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
#include "lib/log.h"
#include "model/audit.h"
#include "model/device.h"
#include "model/failure.h"

/* Codes that somebody may get wrong before each next one has to wait. */
#define CODE_FREE    5
#define CODE_FIRST_S 30
#define CODE_WAIT_S  600

#define CODE_BYTES_MAX 32

/* --- the device -------------------------------------------------------- */

static enum rc
check_scopes(struct req *req, const struct client *client,
	const struct pairs *form, const char *const **scopes)
{
	const char *scope = NULL;
	enum rc rc = oauth_param(req, form, "scope", &scope);

	if (rc == RC_OK && !client_list_has((const char *const *)client->grants,
				   CLIENT_GRANT_DEVICE))
		rc = oauth_refuse(req, "unauthorized_client",
			"this client may not use this grant");
	if (rc == RC_OK && scope == NULL)
		rc = oauth_refuse(req, "invalid_scope", "scope is missing");
	if (rc == RC_OK)
		rc = oauth_scopes(req, client, scope, scopes);
	if (rc == RC_OK && client_list_has(*scopes, CALLER_SCOPE_HUB))
		rc = oauth_refuse(
			req, "invalid_scope", "the scope hub is for nodes");
	return rc;
}

static void
write_codes(
	struct req *req, struct resp *resp, const struct device_codes *codes)
{
	const char *page = arena_printf(
		req->arena, "%s/device", identity_of(req)->conf->issuer);
	struct jsonw *json = resp_json(resp, 200);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "device_code", codes->device_code);
	jsonw_str(json, "user_code", codes->user_code);
	jsonw_str(json, "verification_uri", page);
	jsonw_str(json, "verification_uri_complete",
		arena_printf(
			req->arena, "%s?user_code=%s", page, codes->user_code));
	jsonw_int(json, "expires_in", DEVICE_LIFE_S);
	jsonw_int(json, "interval", DEVICE_INTERVAL_S);
	jsonw_close_obj(json);
	oauth_no_store(resp);
}

static enum rc
start(struct req *req, struct resp *resp)
{
	const char *const *scopes = NULL;
	struct device_codes codes;
	struct client client;
	struct pairs form;
	enum rc rc = req_form(req, &form);

	if (rc == RC_OK)
		rc = oauth_client(req, &form, &client);
	if (rc == RC_OK)
		rc = check_scopes(req, &client, &form, &scopes);
	if (rc == RC_OK)
		rc = device_create(req->db, req->arena, client.id, scopes,
			req->address, &codes, &req->fault);
	if (rc != RC_OK)
		return rc;
	log_info(req->id, "device started: client=%s", client.client_id);
	write_codes(req, resp, &codes);
	return RC_OK;
}

enum rc
identity_device_start(struct req *req, struct resp *resp)
{
	return oauth_answer(req, resp, start(req, resp));
}

/* --- the person -------------------------------------------------------- */

static enum rc
answer_entry(struct req *req, struct resp *resp, const struct person *person,
	const char *code, int status, const char *problem)
{
	struct json_object *view = person_view(req, person);

	page_text(view, "code", code);
	page_text(view, "problem", problem);
	return page_answer(req, resp, status, "identity/device", view);
}

/* An address with the code in it only fills the form: a GET decides nothing,
 * and a person should compare the code with the device. */
enum rc
identity_device_page(struct req *req, struct resp *resp)
{
	struct person person;
	struct pairs query;
	const char *code;
	enum rc rc = req_query(req, &query);

	if (rc == RC_OK)
		rc = person_find(req, &person);
	if (rc != RC_OK)
		return rc;
	code = pairs_find(&query, "user_code");
	if (code != NULL && strlen(code) > CODE_BYTES_MAX)
		code = NULL;
	return answer_entry(req, resp, &person, code, 200, NULL);
}

/* Of this person and of this address, whoever is behind it. */
static void
name_keys(struct req *req, const struct person *person,
	struct failure_key keys[2])
{
	const char *name = person->user.name;

	keys[0] = (struct failure_key){
		failure_subject(req->arena, "device", name, ""), CODE_FREE,
		CODE_WAIT_S, CODE_FIRST_S};
	keys[1] = (struct failure_key){
		failure_subject(req->arena, "device", "", req->address),
		CODE_FREE, CODE_WAIT_S, CODE_FIRST_S};
}

static enum rc
wrong_code(struct req *req, const struct failure_key keys[2])
{
	enum rc rc = failure_count(req->db, keys, 2, &req->fault);

	return rc == RC_OK ? fault_tell(&req->fault, RC_NOT_FOUND, "WrongCode",
				     "user_code",
				     "This code is wrong, was used, or has "
				     "expired.")
			   : rc;
}

/* Fails: RC_NOT_FOUND with words; RC_TOO_MANY with words. */
static enum rc
find_device(struct req *req, struct resp *resp, const struct person *person,
	const char *code, struct device *device)
{
	struct failure_key keys[2];
	int64_t wait_s = 0;
	enum rc rc;

	name_keys(req, person, keys);
	rc = failure_wait(req->db, req->arena, keys, 2, &wait_s, &req->fault);
	if (rc == RC_OK && wait_s > 0) {
		page_retry_after(req, resp, wait_s);
		return fault_tell(&req->fault, RC_TOO_MANY, "TooManyAttempts",
			NULL, "Too many wrong codes. Try again in %lld s.",
			(long long)wait_s);
	}
	if (rc == RC_OK)
		rc = device_find(req->db, req->arena, code != NULL ? code : "",
			device, &req->fault);
	return rc == RC_NOT_FOUND ? wrong_code(req, keys) : rc;
}

static enum rc
ask(struct req *req, struct resp *resp, const struct person *person,
	const struct device *device, const struct client *client,
	const char *code)
{
	struct json_object *view = person_view(req, person);

	page_text(view, "code", code);
	page_text(view, "name", person->user.name);
	page_text(view, "address", device->address);
	consent_describe(view, client, (const char *const *)device->scopes);
	return page_answer(req, resp, 200, "identity/device-ask", view);
}

static enum rc
decide(struct req *req, const struct person *person,
	const struct device *device, const struct client *client, bool allow)
{
	const struct audit row = {
		.action = "device.decide",
		.object = arena_printf(
			req->arena, "client:%s", client->client_id),
		.result = allow ? AUDIT_OK : AUDIT_REFUSED,
		.after = audit_values(req->arena, "scope",
			oauth_join(req->arena,
				(const char *const *)device->scopes),
			"device", device->address, NULL),
	};
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = allow ? device_approve(req->db, device, &person->session,
				     &req->fault)
			   : device_deny(req->db, device, &person->session,
				     &req->fault);
	if (rc == RC_OK)
		rc = audit_write(req, &row);
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

static enum rc
find_client(struct req *req, const struct device *device, struct client *client)
{
	enum rc rc = client_find(
		req->db, req->arena, device->client_id, client, &req->fault);

	if (rc == RC_NOT_FOUND || (rc == RC_OK && !client->active))
		return fault_tell(&req->fault, RC_NOT_FOUND, "UnknownClient",
			NULL, "This application is not known here any more.");
	return rc;
}

/* The code alone leads to the question, with an answer to the end. */
static enum rc
go_on(struct req *req, struct resp *resp, const struct person *person,
	const struct pairs *form)
{
	const char *code = pairs_find(form, "user_code");
	const char *decision = pairs_find(form, "decision");
	struct json_object *view;
	struct device device = {.client_id = NULL};
	struct client client;
	bool allow;
	enum rc rc = find_device(req, resp, person, code, &device);

	if (rc == RC_OK)
		rc = find_client(req, &device, &client);
	if (rc != RC_OK)
		return rc;
	if (decision == NULL)
		return ask(req, resp, person, &device, &client, code);
	allow = strcmp(decision, "allow") == 0;
	rc = decide(req, person, &device, &client, allow);
	if (rc != RC_OK)
		return rc;
	view = person_view(req, person);
	page_text(view, "client", client.name);
	page_text(view, "allowed", allow ? "1" : NULL);
	return page_answer(req, resp, 200, "identity/device-done", view);
}

enum rc
identity_device(struct req *req, struct resp *resp)
{
	struct person person;
	struct pairs form;
	enum rc rc = req_form(req, &form);

	if (rc == RC_OK)
		rc = person_of_form(req, &form, &person);
	if (rc != RC_OK)
		return rc;
	rc = go_on(req, resp, &person, &form);
	if (rc == RC_NOT_FOUND || rc == RC_TOO_MANY)
		return answer_entry(req, resp, &person, NULL,
			rc == RC_NOT_FOUND ? 400 : 429,
			arena_strdup(req->arena, req->fault.client));
	return rc;
}
