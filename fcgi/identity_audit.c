/* identity_audit: who got which token, and who did not. */

#include "fcgi/identity_audit.h"

#include <string.h>

#include "fcgi/identity_oauth.h"
#include "lib/log.h"
#include "model/audit.h"

static const char *
uuid_text(struct arena *arena, const uint8_t uuid[UUID_BYTES])
{
	char *text = arena_alloc(arena, UUID_TEXT_BYTES);

	uuid_format(text, uuid);
	return text;
}

static struct audit_actor
actor_of_client(const struct req *req, const char *client_id)
{
	return (struct audit_actor){
		.kind = "client",
		.name = client_id,
		.subject = client_id,
		.client = client_id,
		.address = req->address,
		.request = req->id,
	};
}

static const char *
object_of(struct req *req, const char *client_id)
{
	return arena_printf(
		req->arena, "client:%s", client_id != NULL ? client_id : "");
}

enum rc
identity_audit_token(
	struct req *req, const char *grant_type, const struct bearer *bearer)
{
	const char *client_id = bearer->client->client_id;
	struct audit_actor actor = actor_of_client(req, client_id);
	const struct audit what = {
		.action = "token.issue",
		.object = object_of(req, client_id),
		.result = AUDIT_OK,
		.after = audit_values(req->arena, "grant", grant_type, "scope",
			oauth_join(req->arena, bearer->scopes), "jti",
			uuid_text(req->arena, bearer->jti), NULL),
	};

	if (bearer->user != NULL) {
		actor.kind = "user";
		actor.name = bearer->user->name;
		actor.subject = uuid_text(req->arena, bearer->user->uuid);
	} else if (bearer->client->node_id != 0) {
		actor.kind = "node";
	}
	log_info(req->id, "token issued: client=%s grant=%s", client_id,
		grant_type);
	return audit_write_by(req->db, &actor, &what, &req->fault);
}

/* RFC 8628: it is told to ask again. */
static bool
asks_again(const struct fault *fault)
{
	return strcmp(fault->code, "authorization_pending") == 0 ||
	       strcmp(fault->code, "slow_down") == 0;
}

enum rc
identity_audit_refusal(
	struct req *req, const char *action, const char *client_id, enum rc rc)
{
	const struct fault refusal = req->fault;
	struct audit_actor actor = actor_of_client(req, client_id);
	const struct audit what = {
		.action = action,
		.object = object_of(req, client_id),
		.result = AUDIT_REFUSED,
		.after = audit_values(req->arena, "error", refusal.code,
			"description", refusal.client, NULL),
	};
	enum rc written;

	if (fault_public(rc)->status >= 500 || asks_again(&refusal))
		return rc;
	if (rc == RC_UNAUTHENTICATED || rc == RC_TOO_MANY || client_id == NULL)
		actor.kind = "nobody";
	log_info(req->id, "%s: client=%s error=%s", action,
		client_id != NULL ? client_id : "-", refusal.code);
	written = audit_write_by(req->db, &actor, &what, &req->fault);
	if (written != RC_OK)
		return written;
	req->fault = refusal;
	req->audited = true;
	return rc;
}

enum rc
identity_audit_revocation(
	struct req *req, const struct client *client, const char *what_text)
{
	const struct audit_actor actor =
		actor_of_client(req, client->client_id);
	const struct audit what = {
		.action = "token.revoke",
		.object = object_of(req, client->client_id),
		.result = AUDIT_OK,
		.before = what_text,
	};

	return audit_write_by(req->db, &actor, &what, &req->fault);
}
