/* identity_admin_client: clients for administrators, by REST. */

#include <string.h>

#include "fcgi/identity_admin.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/listing.h"
#include "lib/field.h"
#include "model/audit.h"
#include "model/client.h"

#define ID_BYTES   128
#define NAME_BYTES 200
#define URI_BYTES  2000
#define LIST_ITEMS 32
#define LIFE_S_MAX 31536000

static const struct listing_filter client_filters[] = {
	{"search", offsetof(struct client_filter, search), LISTING_TEXT, NULL},
	{"state", offsetof(struct client_filter, state), LISTING_TEXT,
		client_states},
	{"authentication", offsetof(struct client_filter, authentication),
		LISTING_TEXT, client_authentications},
	{"node", offsetof(struct client_filter, node), LISTING_TEXT,
		listing_yes_no},
	LISTING_FILTERS_END,
};

static const struct listing clients = {
	.sorts = client_sorts, .filters = client_filters};

/* --- what is sent ----------------------------------------------------------
 */

/* A body; what it does not name keeps what was there. */
struct body {
	struct client_new wanted;
	struct texts grants;
	struct texts scopes;
	struct texts redirect_uris;
	struct texts logout_uris;
	struct texts origins;
	bool require_pkce;
	bool rotate_refresh;
	const char *state;
};

#define TEXT(json, member, bytes)                                              \
	{                                                                      \
		json, FIELD_TEXT, offsetof(struct body, wanted.member),        \
			.maximum = (bytes)                                     \
	}
#define LIST(json, member)                                                     \
	{                                                                      \
		json, FIELD_TEXTS, offsetof(struct body, member),              \
			.maximum = LIST_ITEMS                                  \
	}
#define FLAG(json, member)                                                     \
	{                                                                      \
		json, FIELD_BOOL, offsetof(struct body, member),               \
			.required = false                                      \
	}
#define SECONDS(json, member, most)                                            \
	{                                                                      \
		json, FIELD_INT, offsetof(struct body, wanted.member),         \
			.minimum = 0, .maximum = (most)                        \
	}

#define SETTINGS                                                               \
	TEXT("name", name, NAME_BYTES),                                        \
		TEXT("homePage", home_page, URI_BYTES),                        \
		LIST("grants", grants), LIST("scopes", scopes),                \
		LIST("redirectUris", redirect_uris),                           \
		LIST("logoutUris", logout_uris), LIST("origins", origins),     \
		TEXT("authentication", authentication, 32),                    \
		TEXT("certificateKind", certificate_kind, 32),                 \
		TEXT("certificateName", certificate_name, 1000),               \
		TEXT("algorithm", algorithm, 16),                              \
		FLAG("trusted", wanted.trusted),                               \
		FLAG("introspects", wanted.introspects),                       \
		FLAG("requirePkce", require_pkce),                             \
		FLAG("rotateRefresh", rotate_refresh),                         \
		SECONDS("refreshGraceSeconds", refresh_grace_s, 10),           \
		SECONDS("accessTokenSeconds", access_token_s, 86400),          \
		SECONDS("refreshIdleSeconds", refresh_idle_s, LIFE_S_MAX),     \
		SECONDS("refreshAbsoluteSeconds", refresh_absolute_s,          \
			LIFE_S_MAX),                                           \
		TEXT("backchannelLogoutUri", backchannel_logout_uri,           \
			URI_BYTES),                                            \
		FLAG("backchannelSessionRequired",                             \
			wanted.backchannel_session_required)

static const struct field create_fields[] = {
	{"clientId", FIELD_TEXT, offsetof(struct body, wanted.client_id),
		.required = true, .maximum = ID_BYTES},
	SETTINGS,
	FIELDS_END,
};

static const struct field change_fields[] = {
	SETTINGS,
	{"state", FIELD_TEXT, offsetof(struct body, state), .maximum = 16},
	FIELDS_END,
};

static const char *const *
as_list(struct arena *arena, const struct texts *texts)
{
	const char **list = arena_array(arena, texts->count + 1, sizeof(*list));

	for (size_t i = 0; i < texts->count; i++)
		list[i] = texts->items[i];
	return list;
}

/* Another way of authentication has no use for the name of a certificate. */
static void
drop_certificate(struct client_new *wanted, const struct client *old)
{
	const char *authentication = wanted->authentication != NULL
					     ? wanted->authentication
					     : CLIENT_BY_SECRET;

	if (old == NULL || strcmp(authentication, CLIENT_BY_CERTIFICATE) == 0)
		return;
	if (wanted->certificate_kind == old->certificate_kind)
		wanted->certificate_kind = NULL;
	if (wanted->certificate_name == old->certificate_name)
		wanted->certificate_name = NULL;
}

/* The body over the settings in "body", which are those of "old" if any. */
static enum rc
read_body(struct req *req, const struct field *fields, const struct client *old,
	struct body *body)
{
	const struct {
		const struct texts *given;
		const char *const **list;
	} lists[] = {
		{&body->grants, &body->wanted.grants},
		{&body->scopes, &body->wanted.scopes},
		{&body->redirect_uris, &body->wanted.redirect_uris},
		{&body->logout_uris, &body->wanted.logout_uris},
		{&body->origins, &body->wanted.origins},
	};
	enum rc rc;

	body->require_pkce = !body->wanted.allow_no_pkce;
	body->rotate_refresh = !body->wanted.keep_refresh;
	rc = req_json(req, fields, body);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < ARRAY_LENGTH(lists); i++)
		if (lists[i].given->items != NULL)
			*lists[i].list = as_list(req->arena, lists[i].given);
	body->wanted.allow_no_pkce = !body->require_pkce;
	body->wanted.keep_refresh = !body->rotate_refresh;
	drop_certificate(&body->wanted, old);
	return RC_OK;
}

/* --- steps -----------------------------------------------------------------
 */

static enum rc
find(struct req *req, struct client *client)
{
	enum rc rc = client_find(req->db, req->arena, req_arg(req, "client"),
		client, &req->fault);

	return rc == RC_NOT_FOUND
		       ? fault_tell(&req->fault, rc, "NotFound", "client",
				 "There is no client of this id.")
		       : rc;
}

static enum rc
begin(struct req *req, struct client *client)
{
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	return rc == RC_OK ? find(req, client) : rc;
}

/* Note it and commit; when "rc" is a reason not to, the dispatcher undoes
 * all. */
static enum rc
finish(struct req *req, enum rc rc, struct audit *what, const char *client_id)
{
	what->object = arena_printf(req->arena, "client:%s", client_id);
	what->result = AUDIT_OK;
	if (rc == RC_OK)
		rc = audit_write(req, what);
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

static enum rc
answer(struct resp *resp, int status, const struct client *client,
	const char *secret)
{
	struct jsonw *json = resp_json(resp, status);

	jsonw_open_obj(json, NULL);
	client_write_members(json, client);
	if (secret != NULL)
		jsonw_str(json, "clientSecret", secret);
	jsonw_close_obj(json);
	oauth_no_store(resp);
	return RC_OK;
}

/* --- handlers --------------------------------------------------------------
 */

enum rc
admin_client_list(struct req *req, struct resp *resp)
{
	struct client_filter filter = {.search = NULL};
	struct client_list list = {0, NULL};
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &clients, &filter, &slice);

	if (rc == RC_OK)
		rc = client_slice(req->db, req->arena, &filter, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		client_write(json, &list.items[i]);
	listing_close(json, req, &slice);
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
admin_client_get(struct req *req, struct resp *resp)
{
	struct client client;
	enum rc rc = find(req, &client);

	return rc == RC_OK ? answer(resp, 200, &client, NULL) : rc;
}

enum rc
admin_client_create(struct req *req, struct resp *resp)
{
	struct body body = {.state = NULL};
	struct audit what = {.action = "client.create"};
	struct client client;
	const char *secret = NULL;
	enum rc rc = read_body(req, create_fields, NULL, &body);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (body.wanted.name == NULL)
		body.wanted.name = body.wanted.client_id;
	rc = client_create(req->db, req->arena, &body.wanted, &client, &secret,
		&req->fault);
	if (rc == RC_OK)
		what.after = client_json(req->arena, &client);
	rc = finish(req, rc, &what, body.wanted.client_id);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/clients/%s",
			percent_encode(req->arena, client.client_id)));
	return answer(resp, 201, &client, secret);
}

static enum rc
set_state(struct req *req, const char *state, struct client *client)
{
	bool active;

	if (state == NULL)
		return RC_OK;
	if (!client_list_has(client_states, state))
		return fault_tell(&req->fault, RC_BAD_INPUT, "Client", "state",
			"state is active or disabled.");
	active = strcmp(state, client_states[0]) == 0;
	if (active == client->active)
		return RC_OK;
	client->active = active;
	return client_set_active(req->db, client->id, active, &req->fault);
}

enum rc
admin_client_change(struct req *req, struct resp *resp)
{
	struct body body = {.state = NULL};
	struct audit what = {.action = "client.change"};
	struct client old;
	struct client client;
	enum rc rc = begin(req, &old);

	if (rc != RC_OK)
		return rc;
	body.wanted = client_settings(&old);
	rc = read_body(req, change_fields, &old, &body);
	if (rc == RC_OK)
		rc = client_change(req->db, req->arena, old.id, &body.wanted,
			&client, &req->fault);
	if (rc == RC_OK)
		rc = set_state(req, body.state, &client);
	if (rc == RC_OK) {
		what.before = client_json(req->arena, &old);
		what.after = client_json(req->arena, &client);
	}
	rc = finish(req, rc, &what, old.client_id);
	return rc == RC_OK ? answer(resp, 200, &client, NULL) : rc;
}

enum rc
admin_client_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "client.remove"};
	struct client client;
	enum rc rc = begin(req, &client);

	if (rc != RC_OK)
		return rc;
	what.before = client_json(req->arena, &client);
	rc = client_remove(req->db, &client, &req->fault);
	rc = finish(req, rc, &what, client.client_id);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

enum rc
admin_client_secret(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "client.secret"};
	struct client client;
	const char *secret = NULL;
	enum rc rc = begin(req, &client);

	if (rc != RC_OK)
		return rc;
	rc = client_renew_secret(
		req->db, req->arena, &client, &secret, &req->fault);
	rc = finish(req, rc, &what, client.client_id);
	return rc == RC_OK ? answer(resp, 200, &client, secret) : rc;
}
