/* identity_person: whoever sits in front of a page. */

#include "fcgi/identity_person.h"

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "lib/clock.h"
#include "lib/utf8.h"
#include "model/datasource.h"
#include "model/policy.h"

#define FRESH_US (10 * CLOCK_MINUTE_US)

/* More plants than this go into a menu, as on the other pages. */
#define NAVIGATION_PLANTS 6

void
person_become(struct req *req, const struct user *user)
{
	struct caller *caller = arena_alloc(req->arena, sizeof(*caller));
	char *subject = arena_alloc(req->arena, UUID_TEXT_BYTES);

	uuid_format(subject, user->uuid);
	caller->kind = CALLER_USER;
	caller->id = user->id;
	caller->subject = subject;
	caller->name = user->name;
	caller->administrator = user->administrator;
	caller->scopes = "";
	req->caller = caller;
}

enum rc
person_find(struct req *req, struct person *person)
{
	enum rc rc = identity_session(req, &person->session);

	if (rc == RC_OK)
		rc = user_find_id(req->db, req->arena, person->session.user_id,
			&person->user, &req->fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_UNAUTHENTICATED, "NoSession",
			NULL,
			"You are not logged in, or your session has ended.");
	if (rc != RC_OK)
		return rc;
	person_become(req, &person->user);
	req->caller->csrf = person->session.csrf; /* by a session, no token */
	memcpy(req->caller->credential, person->session.hash,
		sizeof(req->caller->credential));
	return RC_OK;
}

enum rc
person_of_form(struct req *req, const struct pairs *form, struct person *person)
{
	struct caller own = {.csrf = NULL};
	enum rc rc = person_find(req, person);

	if (rc != RC_OK)
		return rc;
	if (!caller_same_origin(req))
		return fault_tell(&req->fault, RC_DENIED, "CrossSite", NULL,
			"A page of another site cannot do this for you.");
	own.csrf = person->session.csrf;
	return caller_check_csrf(&own, pairs_find(form, "csrf"), &req->fault);
}

enum rc
person_require_fresh(struct req *req, const struct person *person)
{
	if (clock_now_us() - person->session.auth_time_us < FRESH_US)
		return RC_OK;
	return fault_tell(&req->fault, RC_UNAUTHENTICATED, "FreshLogin", NULL,
		"Log in once more to change this.");
}

struct json_object *
person_view(struct req *req, const struct person *person)
{
	struct json_object *view = page_view(req);
	struct json_object *user = json_object_new_object();
	const char *name = person->user.name;

	json_object_object_add(view, "user", user);
	page_text(user, "name", name);
	page_text(user, "initial",
		arena_strndup(
			req->arena, name, utf8_sequence(name, strlen(name))));
	page_text(user, "csrf", person->session.csrf);
	json_object_object_add(user, "administrator",
		json_object_new_boolean(person->user.administrator));
	page_text(view, "csrf", person->session.csrf);
	return view;
}

static void
add_plants(struct req *req, struct json_object *view,
	const struct datasource_list *plants, const struct policy *policy)
{
	struct json_object *list = json_object_new_array();

	json_object_object_add(view, "plants", list);
	for (size_t i = 0; i < plants->count; i++) {
		const struct datasource *plant = &plants->items[i];
		struct json_object *item;

		if (!policy_touches(policy, plant->id, POLICY_READ_VALUES))
			continue;
		item = json_object_new_object();
		page_text(item, "name", plant->name);
		page_text(item, "url",
			arena_printf(
				req->arena, "/plants/%s", plant->uuid_text));
		json_object_array_add(list, item);
	}
	if (json_object_array_length(list) > NAVIGATION_PLANTS)
		page_text(view, "many_plants", "1");
}

enum rc
person_navigate(struct req *req, struct json_object *view)
{
	const struct policy *policy = NULL;
	struct datasource_list plants;
	struct fault why;
	enum rc rc = policy_of(req, &policy);

	if (rc == RC_OK)
		rc = datasource_query(
			req->db, req->arena, &plants, &req->fault);
	if (rc != RC_OK)
		return rc;
	add_plants(req, view, &plants, policy);
	if (policy_check_administrator(policy, &why) == RC_OK)
		page_text(view, "administration", "1");
	return RC_OK;
}

void
person_send_to_login(struct req *req, struct resp *resp, bool fresh)
{
	const char *next = "/account";

	if (strncmp(req->path, "/login", 6) == 0)
		next = "/";
	else if (req->method == METHOD_GET)
		next = arena_printf(req->arena, "%s%s%s", req->path,
			*req->query != '\0' ? "?" : "", req->query);
	resp_redirect(resp, arena_printf(req->arena, "/login?next=%s%s",
				    percent_encode(req->arena, next),
				    fresh ? "&fresh=1" : ""));
	oauth_no_store(resp);
}
