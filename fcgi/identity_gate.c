/* identity_gate: whether somebody may use another web tool of this host, for
 * nginx's auth_request (deploy/nginx/snippets/behind-login.conf). */

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
#include "model/policy.h"

/* In a list: what would end an element, or a header, is escaped. */
static const char *
as_element(struct arena *arena, const char *name)
{
	const char *text = "";

	for (; *name != '\0'; name++) {
		unsigned char letter = (unsigned char)*name;

		if (letter < ' ' || letter == 0x7f || letter == ',' ||
			letter == '%')
			text = arena_printf(arena, "%s%%%02X", text, letter);
		else
			text = arena_printf(arena, "%s%c", text, *name);
	}
	return text;
}

static const char *
as_list(struct arena *arena, const char *const *names)
{
	const char *text = "";

	for (; *names != NULL; names++)
		text = arena_printf(arena, "%s%s%s", text,
			text[0] != '\0' ? "," : "", as_element(arena, *names));
	return text;
}

/* --- the right ----------------------------------------------------------- */

/* What the person has. */
struct rights {
	struct policy_names names;
	bool administers;
};

static enum rc
find_rights(struct req *req, struct rights *rights)
{
	const struct policy *policy = NULL;
	struct fault ignored;
	enum rc rc = policy_names(req->db, req->arena, CALLER_USER,
		req->caller->id, &rights->names, &req->fault);

	if (rc == RC_OK)
		rc = policy_load(
			req->db, req->arena, req->caller, &policy, &req->fault);
	if (rc == RC_OK)
		rights->administers =
			policy_check_administrator(policy, &ignored) == RC_OK;
	return rc;
}

/* One of "group:NAME", "role:NAME", "administer". */
static bool
fits(const struct rights *rights, const char *word)
{
	if (strncmp(word, "group:", 6) == 0)
		return client_list_has(
			(const char *const *)rights->names.groups, word + 6);
	if (strncmp(word, "role:", 5) == 0)
		return client_list_has(
			(const char *const *)rights->names.roles, word + 5);
	return strcmp(word, "administer") == 0 && rights->administers;
}

/* "require" is a list with commas; one of them is enough, and an empty one
 * asks for nothing but a log-in. */
static bool
may_pass(struct req *req, const struct rights *rights, const char *require)
{
	bool empty = true;

	while (*require != '\0') {
		size_t length = strcspn(require, ",");
		const char *word = arena_strndup(req->arena, require, length);

		if (length > 0 && fits(rights, word))
			return true;
		empty = empty && length == 0;
		require += length + (require[length] == ',');
	}
	return empty;
}

static void
describe(struct req *req, struct resp *resp, const struct user *user,
	const struct policy_names *names)
{
	resp_header(resp, "X-Auth-User", as_element(req->arena, user->name));
	resp_header(
		resp, "X-Auth-Name", as_element(req->arena, user->full_name));
	resp_header(resp, "X-Auth-Email", as_element(req->arena, user->email));
	resp_header(resp, "X-Auth-Groups",
		as_list(req->arena, (const char *const *)names->groups));
	resp_header(resp, "X-Auth-Roles",
		as_list(req->arena, (const char *const *)names->roles));
}

/* Only nginx itself gets here: it sets GATE where it asks, and no client can
 * set a parameter that does not begin with HTTP_. */
static enum rc
require_nginx(struct req *req)
{
	const char *gate = req->param(req, "GATE");

	return gate != NULL && strcmp(gate, "on") == 0
		       ? RC_OK
		       : fault_set(&req->fault, RC_NOT_FOUND, "not from nginx");
}

enum rc
identity_gate_login(struct req *req, struct resp *resp)
{
	const char *next = req->param(req, "GATE_NEXT");
	enum rc rc = require_nginx(req);

	if (rc != RC_OK)
		return rc;
	resp_redirect(
		resp, arena_printf(req->arena, "/login?next=%s",
			      percent_encode(req->arena, page_next(next))));
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
identity_gate(struct req *req, struct resp *resp)
{
	const char *require = req->param(req, "GATE_REQUIRE");
	struct rights rights = {.administers = false};
	struct person person;
	enum rc rc = require_nginx(req);

	if (rc != RC_OK)
		return rc;
	resp_empty(resp, 204);
	oauth_no_store(resp);
	rc = person_find(req, &person);
	if (rc == RC_UNAUTHENTICATED) {
		resp_empty(resp, 401);
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = find_rights(req, &rights);
	if (rc != RC_OK)
		return rc;
	if (!may_pass(req, &rights, require != NULL ? require : ""))
		return fault_tell(&req->fault, RC_DENIED, "RightMissing", NULL,
			"An administrator can give you the right to use this.");
	describe(req, resp, &person.user, &rights.names);
	return RC_OK;
}
