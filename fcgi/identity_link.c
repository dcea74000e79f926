/* identity_link: linking an account to a person of a provider. */

#include "fcgi/identity_link.h"

#include <json-c/json.h>
#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_account.h"
#include "fcgi/identity_check.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/identity_page.h"
#include "fcgi/identity_person.h"
#include "model/audit.h"
#include "model/user_links.h"

#define ACCOUNT_PAGE "/account"

static bool
is_local(const struct user *user)
{
	return strcmp(user->source, IDENTITY_ISSUER_LOCAL) == 0;
}

/* Logged in just now, and here: a session that the provider gave is no proof
 * for changing who may be the account. */
static enum rc
require_local(struct req *req, const struct person *person)
{
	if (!is_local(&person->user))
		return fault_tell(&req->fault, RC_DENIED, "NotYourAccount",
			NULL, "Your account is kept elsewhere.");
	if (strcmp(person->session.issuer, IDENTITY_ISSUER_LOCAL) != 0)
		return fault_tell(&req->fault, RC_UNAUTHENTICATED, "FreshLogin",
			NULL, "Log in with your password to change this.");
	return person_require_fresh(req, person);
}

static enum rc
read_form(struct req *req, struct person *person, struct provider *provider)
{
	struct pairs form;
	const char *name;
	enum rc rc = req_form(req, &form);

	if (rc == RC_OK)
		rc = person_of_form(req, &form, person);
	if (rc == RC_OK)
		rc = require_local(req, person);
	if (rc != RC_OK)
		return rc;
	name = pairs_find(&form, "provider");
	if (name == NULL)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"provider", "The form names no provider.");
	rc = provider_find(req->db, req->arena, name, provider, &req->fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, rc, "NotFound", "provider",
			"There is no such way to log in.");
	return rc;
}

enum rc
identity_link_begin(struct req *req, struct resp *resp)
{
	struct provider_transaction transaction = {.next = ACCOUNT_PAGE};
	struct person person;
	struct provider provider = {.name = NULL};
	const char *location = NULL;
	enum rc rc = read_form(req, &person, &provider);

	if (rc != RC_OK)
		return rc;
	if (!provider.active)
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound",
			"provider", "There is no such way to log in.");
	transaction.session_hash = person.session.hash;
	rc = identity_signin_begin(
		req, resp, &provider, &transaction, &location);
	if (rc != RC_OK)
		return identity_signin_refuse(
			req, resp, &provider, &transaction);
	return page_continue(req, resp,
		arena_printf(req->arena, "Now log in at %s", provider.title),
		location);
}

static enum rc
end(struct req *req, enum rc rc)
{
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

static enum rc
write_audit(struct req *req, const char *action, const struct user *user,
	const struct provider *provider, const char *subject)
{
	const char *values = audit_values(req->arena, "provider",
		provider->name, "subject", subject, NULL);
	bool linked = strcmp(action, "account.link") == 0;
	const struct audit what = {.action = action,
		.object = arena_printf(req->arena, "user:%s", user->name),
		.result = AUDIT_OK,
		.before = linked ? NULL : values,
		.after = linked ? values : NULL};

	return audit_write(req, &what);
}

/* Whoever comes back must be the one who went. */
static enum rc
find_person(struct req *req, const struct provider_transaction *transaction,
	struct person *person)
{
	enum rc rc = person_find(req, person);

	if (rc == RC_UNAUTHENTICATED ||
		(rc == RC_OK &&
			memcmp(person->session.hash, transaction->session_hash,
				SECRET_HASH_BYTES) != 0))
		return fault_tell(&req->fault, RC_DENIED, "LoginRefused", NULL,
			"Your session here has ended in the meantime. Log in "
			"and begin again.");
	return rc;
}

enum rc
identity_link(struct req *req, struct resp *resp,
	const struct provider *provider,
	const struct provider_transaction *transaction,
	const struct provider_person *outside)
{
	struct person person;
	enum rc rc = find_person(req, transaction, &person);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = user_links_add(req->db, person.user.id, provider->issuer,
		outside->subject, &req->fault);
	if (rc == RC_OK)
		rc = write_audit(req, "account.link", &person.user, provider,
			outside->subject);
	rc = end(req, rc);
	return rc == RC_OK ? account_back(req, resp, ACCOUNT_LINKED) : rc;
}

enum rc
identity_unlink(struct req *req, struct resp *resp)
{
	struct person person;
	struct provider provider = {.name = NULL};
	enum rc rc = read_form(req, &person, &provider);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = user_links_remove(
		req->db, req->arena, person.user.id, &provider, &req->fault);
	if (rc == RC_OK)
		rc = write_audit(
			req, "account.unlink", &person.user, &provider, NULL);
	rc = end(req, rc);
	return rc == RC_OK ? account_back(req, resp, ACCOUNT_UNLINKED) : rc;
}

enum rc
identity_links(
	struct req *req, struct json_object *view, const struct user *user)
{
	struct json_object *list = json_object_new_array();
	struct user_links links = {.count = 0};
	enum rc rc;

	json_object_object_add(view, "links", list);
	if (!is_local(user))
		return RC_OK;
	rc = user_links_query(
		req->db, req->arena, user->id, &links, &req->fault);
	for (size_t i = 0; i < links.count && rc == RC_OK; i++) {
		struct json_object *link = json_object_new_object();

		page_text(link, "provider", links.items[i].provider);
		page_text(link, "title", links.items[i].title);
		json_object_object_add(link, "linked",
			json_object_new_boolean(links.items[i].linked));
		json_object_array_add(list, link);
	}
	if (links.count > 0)
		page_text(view, "has_links", "1");
	return rc;
}
