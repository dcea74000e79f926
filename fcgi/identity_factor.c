/* identity_factor: setting up and checking second factors. */

#include "fcgi/identity_factor.h"

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_event.h"
#include "fcgi/identity_page.h"
#include "lib/log.h"
#include "lib/qr.h"
#include "lib/totp.h"
#include "model/audit.h"
#include "model/failure.h"

#define ISSUER_NAME "fieldgrid"

/* Only somebody with the password gets here, so the account as a whole may
 * wait: a code has a million values. */
#define PAIR_FREE      5
#define PAIR_WAIT_S    60
#define ACCOUNT_FREE   20
#define ACCOUNT_WAIT_S 300

/* "ABCDEFGH" as "ABCD EFGH", for typing. */
static const char *
in_groups(struct arena *arena, const char *secret)
{
	const char *text = "";

	for (; strlen(secret) > 4; secret += 4)
		text = arena_printf(arena, "%s%.4s ", text, secret);
	return arena_printf(arena, "%s%s", text, secret);
}

/* Whose form it is. */
static const char *
offer_name(struct req *req, const struct user *user, const char *csrf)
{
	return arena_printf(
		req->arena, "offer:%lld:%s", (long long)user->id, csrf);
}

enum rc
factor_offer(struct req *req, struct json_object *view, const struct user *user,
	const char *csrf, const struct factor *factor)
{
	const char *site = identity_of(req)->conf->site;
	const char *secret =
		factor != NULL ? factor->secret : totp_secret(req->arena);
	const char *address = totp_address(req->arena,
		site[0] != '\0' ? site : ISSUER_NAME, user->name, secret);
	struct sealed sealed = seal_close(req->arena, identity_of(req)->seal,
		offer_name(req, user, csrf), secret);
	const char *svg = NULL;
	enum rc rc = qr_draw(req->arena, address, &svg, &req->fault);

	page_text(view, "secret", in_groups(req->arena, secret));
	page_text(view, "offer",
		encode_base64url(req->arena, sealed.data, sealed.length));
	page_text(view, "qr", svg);
	page_text(view, "address", address);
	return rc;
}

enum rc
factor_accept(struct req *req, const struct pairs *form,
	const struct user *user, const char *csrf, struct factor *factor)
{
	const char *offer = pairs_find(form, "offer");
	size_t bytes = 0;
	const uint8_t *data = offer != NULL
				      ? decode_base64url(req->arena, offer,
						strlen(offer), &bytes)
				      : NULL;

	*factor = (struct factor){.user_id = user->id};
	if (data != NULL)
		factor->secret = seal_open(req->arena, identity_of(req)->seal,
			offer_name(req, user, csrf),
			(struct sealed){data, bytes});
	return factor->secret != NULL
		       ? RC_OK
		       : fault_tell(&req->fault, RC_DENIED, "FormExpired",
				 "offer",
				 "This form is too old. Load the page again.");
}

enum rc
factor_set(struct req *req, const struct pairs *form, const struct user *user,
	const struct factor *factor, const char *const **codes)
{
	const char *code = pairs_find(form, "code");
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc != RC_OK)
		return rc;
	rc = factor_confirm(req->db, req->arena, identity_of(req)->seal, factor,
		code != NULL ? code : "", codes, &req->fault);
	if (rc == RC_OK)
		rc = identity_audit(
			req, "account.factor", user->name, AUDIT_OK);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

enum rc
factor_show_codes(struct req *req, struct resp *resp, struct json_object *view,
	const char *const *codes, const char *next)
{
	struct json_object *list = json_object_new_array();

	json_object_object_add(view, "codes", list);
	for (; *codes != NULL; codes++)
		json_object_array_add(list, json_object_new_string(*codes));
	page_text(view, "next", next);
	return page_answer(req, resp, 200, "identity/codes", view);
}

static void
name_keys(struct req *req, const struct user *user, struct failure_key keys[2])
{
	keys[0] = (struct failure_key){
		failure_subject(req->arena, "factor", user->name, req->address),
		PAIR_FREE, PAIR_WAIT_S, 1};
	keys[1] = (struct failure_key){
		failure_subject(req->arena, "factor", user->name, ""),
		ACCOUNT_FREE, ACCOUNT_WAIT_S, 1};
}

/* After a success nothing is counted any more. */
static enum rc
forget(struct req *req, const struct failure_key keys[2])
{
	enum rc rc = failure_forget(req->db, keys[0].subject, &req->fault);

	return rc == RC_OK
		       ? failure_forget(req->db, keys[1].subject, &req->fault)
		       : rc;
}

static enum rc
refuse(struct req *req, const struct user *user,
	const struct failure_key keys[2])
{
	const struct fault why = req->fault;
	enum rc rc = failure_count(req->db, keys, 2, &req->fault);

	if (rc == RC_OK)
		rc = identity_audit(
			req, "login.code", user->name, AUDIT_REFUSED);
	if (rc == RC_OK)
		rc = identity_event(req, IDENTITY_EVENT_REFUSED, user->name,
			"wrong code of the second factor");
	if (rc != RC_OK)
		return rc;
	log_warn(req->id, "wrong code of a second factor: name=%s address=%s",
		user->name, req->address);
	req->fault = why;
	return RC_UNAUTHENTICATED;
}

enum rc
factor_try(struct req *req, const struct user *user,
	const struct factor *factor, const char *code, int64_t *wait_s)
{
	struct failure_key keys[2];
	enum rc rc;

	name_keys(req, user, keys);
	rc = failure_wait(req->db, req->arena, keys, 2, wait_s, &req->fault);
	if (rc == RC_OK && *wait_s > 0)
		return fault_tell(&req->fault, RC_TOO_MANY, "TooManyAttempts",
			NULL, "Too many attempts. Try again in %lld s.",
			(long long)*wait_s);
	if (rc == RC_OK)
		rc = factor_use(req->db, factor, code, &req->fault);
	if (rc == RC_UNAUTHENTICATED)
		return refuse(req, user, keys);
	return rc == RC_OK ? forget(req, keys) : rc;
}
