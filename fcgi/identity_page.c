/* identity_page: what a person sees of the identity service. */

#include "fcgi/identity_page.h"

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_person.h"
#include "lib/clock.h"
#include "lib/password.h"

static void
release(void *object)
{
	json_object_put(object);
}

void
page_text(struct json_object *view, const char *name, const char *text)
{
	if (text != NULL)
		json_object_object_add(
			view, name, json_object_new_string(text));
}

struct json_object *
page_view(struct req *req)
{
	const struct identity *identity = identity_of(req);
	struct json_object *view = json_object_new_object();

	arena_defer(req->arena, release, view);
	json_object_object_add(
		view, "asset", json_object_get(identity->assets));
	page_text(view, "version", FG_VERSION);
	if (identity->conf->site[0] != '\0')
		page_text(view, "site", identity->conf->site);
	return view;
}

enum rc
page_answer(struct req *req, struct resp *resp, int status, const char *name,
	struct json_object *view)
{
	enum rc rc = mustache_render(identity_of(req)->templates, name, view,
		resp_html(resp, status), &req->fault);

	oauth_no_store(resp);
	return rc == RC_OK
		       ? RC_OK
		       : fault_set(&req->fault, RC_BUG, "template %s: %s", name,
				 arena_strdup(req->arena, req->fault.text));
}

enum rc
page_problem(struct req *req, struct resp *resp, int status, const char *title,
	const char *message)
{
	struct json_object *view = page_view(req);
	struct json_object *fault = json_object_new_object();
	char now[CLOCK_TEXT_BYTES];

	clock_format(now, clock_now_us());
	json_object_object_add(view, "fault", fault);
	json_object_object_add(fault, "status", json_object_new_int(status));
	page_text(fault, "title", title);
	page_text(fault, "message", message);
	page_text(fault, "request", req->id);
	page_text(fault, "time", now);
	return page_answer(req, resp, status, "fault", view);
}

enum rc
page_continue(
	struct req *req, struct resp *resp, const char *said, const char *next)
{
	struct json_object *view = page_view(req);

	page_text(view, "said", said);
	page_text(view, "next", next);
	return page_answer(req, resp, 200, "identity/continue", view);
}

void
page_retry_after(struct req *req, struct resp *resp, int64_t wait_s)
{
	resp_header(resp, "Retry-After",
		arena_printf(req->arena, "%lld", (long long)wait_s));
}

enum rc
page_new_password(
	struct req *req, const struct pairs *form, const char **password)
{
	const char *again = pairs_find(form, "again");

	*password = pairs_find(form, "new_password");
	if (*password == NULL || again == NULL || strcmp(*password, again) != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "PasswordDiffers",
			"again", "The two new passwords differ.");
	return password_check(*password, &req->fault);
}

void
page_cookie(
	struct req *req, struct resp *resp, const char *name, const char *value)
{
	resp_header_add(resp, "Set-Cookie",
		arena_printf(req->arena,
			"%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name,
			value, value[0] == '\0' ? "; Max-Age=0" : ""));
}

/* "//host" and "/\host" are other sites for a browser. */
const char *
page_next(const char *next)
{
	if (next == NULL || next[0] != '/' || next[1] == '/' ||
		next[1] == '\\' || strlen(next) > 4096)
		return "/";
	for (const char *at = next; *at != '\0'; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return "/";
	return next;
}

/* --- faults ------------------------------------------------------------ */

static bool
is_for_programs(const struct req *req)
{
	static const char *const paths[] = {"/connect/token",
		"/connect/userinfo", "/connect/introspect",
		"/connect/revocation", "/connect/deviceauthorization",
		"/.well-known/"};

	for (size_t i = 0; i < ARRAY_LENGTH(paths); i++)
		if (strncmp(req->path, paths[i], strlen(paths[i])) == 0)
			return true;
	return false;
}

static const char *
oauth_name(const struct fault *fault)
{
	if (strchr(fault->code, '_') != NULL)
		return fault->code;
	switch (fault->rc) {
	case RC_UNAUTHENTICATED:
		return "invalid_token";
	case RC_DENIED:
		return "access_denied";
	case RC_UNAVAILABLE:
	case RC_RETRY:
		return "temporarily_unavailable";
	case RC_DB:
	case RC_IO:
	case RC_BUG:
		return "server_error";
	default:
		return "invalid_request";
	}
}

static const char *
title_of(int status)
{
	switch (status) {
	case 403:
		return "Not allowed";
	case 404:
		return "Not found";
	case 503:
		return "Not available at the moment";
	default:
		return status >= 500 ? "Something went wrong here"
				     : "This request cannot be answered";
	}
}

void
identity_fault(struct req *req, struct resp *resp, const struct fault *fault)
{
	const struct fault_public *public = fault_public(fault->rc);
	const char *message =
		fault->client[0] != '\0' ? fault->client : public->message;
	int status = public->status;

	if (strncmp(req->path, "/api/", 5) == 0) {
		resp_fault(resp, fault);
		return;
	}
	if (fault->rc == RC_UNAUTHENTICATED && !is_for_programs(req)) {
		person_send_to_login(
			req, resp, strcmp(fault->code, "FreshLogin") == 0);
		return;
	}
	if (is_for_programs(req)) {
		oauth_error(resp, status, oauth_name(fault), message);
		return;
	}
	if (page_problem(req, resp, status, title_of(status), message) != RC_OK)
		resp_fault(resp, fault);
}
