/* identity_admin_provider: upstream providers, by REST. */

#include "fcgi/identity_admin_provider.h"

#include <string.h>

#include "fcgi/identity.h"
#include "fcgi/identity_admin_mapping.h"
#include "fcgi/identity_oauth.h"
#include "fcgi/listing.h"
#include "lib/field.h"
#include "model/audit.h"
#include "model/provider.h"
#include "model/provider_metadata.h"

static const char *const sorts[] = {"name", "title", "created", NULL};
static const char *const states[] = {"active", "disabled", NULL};
static const struct listing_filter filters[] = {
	{"search", offsetof(struct provider_filter, search), LISTING_TEXT,
		NULL},
	{"state", offsetof(struct provider_filter, state), LISTING_TEXT,
		states},
	LISTING_FILTERS_END,
};
static const struct listing providers = {.sorts = sorts, .filters = filters};

/* --- answers ----------------------------------------------------------- */

static void
write_provider(
	struct req *req, struct jsonw *json, const struct provider *provider)
{
	jsonw_open_obj(json, NULL);
	provider_write(json, provider);
	jsonw_str(json, "callback",
		arena_printf(req->arena, "%s/signin-%s",
			identity_of(req)->conf->issuer, provider->name));
	jsonw_time(json, "created", provider->created_us);
	jsonw_time(json, "changed", provider->changed_us);
	jsonw_close_obj(json);
}

static enum rc
find(struct req *req, const char *name, struct provider *provider)
{
	enum rc rc =
		provider_find(req->db, req->arena, name, provider, &req->fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, rc, "NotFound", "provider",
			"There is no such provider.");
	return rc;
}

static enum rc
answer(struct req *req, struct resp *resp, int status, const char *name)
{
	struct provider provider;
	enum rc rc = find(req, name, &provider);

	if (rc == RC_OK)
		write_provider(req, resp_json(resp, status), &provider);
	oauth_no_store(resp);
	return rc;
}

enum rc
admin_provider_list(struct req *req, struct resp *resp)
{
	struct provider_filter filter = {.search = NULL};
	struct provider_list list;
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &providers, &filter, &slice);

	if (rc == RC_OK)
		rc = provider_slice(req->db, req->arena, &filter, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		write_provider(req, json, &list.items[i]);
	listing_close(json, req, &slice);
	oauth_no_store(resp);
	return RC_OK;
}

enum rc
admin_provider_get(struct req *req, struct resp *resp)
{
	return answer(req, resp, 200, req_arg(req, "provider"));
}

/* --- changes ----------------------------------------------------------- */

/* A body, read; what is absent stays as it was. */
struct body {
	struct provider provider;
	const char *secret;
	struct texts scopes;
	struct texts hosts;
	struct texts factor_values;
	const char *state;
};

#define TEXT(name, member, bytes)                                              \
	{                                                                      \
		name, FIELD_TEXT, offsetof(struct body, member), false, 0,     \
			bytes, NULL                                            \
	}
#define WORDS(name, member)                                                    \
	{                                                                      \
		name, FIELD_TEXTS, offsetof(struct body, member), false, 0,    \
			PROVIDER_LIST_MAX, NULL                                \
	}
#define SETTINGS                                                               \
	TEXT("title", provider.title, PROVIDER_TITLE_BYTES),                   \
		TEXT("clientId", provider.client_id, PROVIDER_TEXT_BYTES),     \
		TEXT("clientSecret", secret, PROVIDER_SECRET_BYTES),           \
		TEXT("authentication", provider.authentication,                \
			PROVIDER_TEXT_BYTES),                                  \
		WORDS("scopes", scopes), WORDS("hosts", hosts),                \
		TEXT("authority", provider.authority_pem, PROVIDER_PEM_BYTES), \
		TEXT("subject", provider.subject, PROVIDER_TEXT_BYTES),        \
		TEXT("nameClaim", provider.name_claim, PROVIDER_TEXT_BYTES),   \
		TEXT("groupsClaim", provider.groups_claim,                     \
			PROVIDER_TEXT_BYTES),                                  \
		WORDS("factorValues", factor_values),                          \
		{"createAccounts", FIELD_BOOL,                                 \
			offsetof(struct body, provider.create_accounts),       \
			false, 0, 0, NULL},                                    \
		TEXT("state", state, PROVIDER_TEXT_BYTES)

static const struct field change_fields[] = {
	SETTINGS,
	FIELDS_END,
};

static const struct field create_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct body, provider.name), true, 0,
		PROVIDER_NAME_BYTES, NULL},
	{"issuer", FIELD_TEXT, offsetof(struct body, provider.issuer), true, 0,
		PROVIDER_URL_BYTES, NULL},
	SETTINGS,
	FIELDS_END,
};

static void
take_words(struct arena *arena, const struct texts *words, const char ***list)
{
	if (words->items == NULL)
		return;
	*list = arena_array(arena, words->count + 1, sizeof(**list));
	for (size_t i = 0; i < words->count; i++)
		(*list)[i] = words->items[i];
}

static enum rc
read_body(struct req *req, const struct field *fields, struct body *body)
{
	enum rc rc = req_json(req, fields, body);

	if (rc != RC_OK)
		return rc;
	take_words(req->arena, &body->scopes, &body->provider.scopes);
	take_words(req->arena, &body->hosts, &body->provider.hosts);
	take_words(req->arena, &body->factor_values,
		&body->provider.factor_values);
	if (body->state != NULL && strcmp(body->state, "active") != 0 &&
		strcmp(body->state, "disabled") != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "Provider",
			"state", "It is active or disabled.");
	if (body->state != NULL)
		body->provider.active = strcmp(body->state, "active") == 0;
	return RC_OK;
}

/* Note it and commit; when "rc" is a reason not to, undo all. */
static enum rc
finish(struct req *req, enum rc rc, struct audit what, const char *name)
{
	what.object = arena_printf(req->arena, "provider:%s", name);
	what.result = AUDIT_OK;
	if (rc == RC_OK)
		rc = audit_write(req, &what);
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

enum rc
admin_provider_create(struct req *req, struct resp *resp)
{
	struct body body = {.provider = provider_defaults()};
	struct provider *wanted = &body.provider;
	enum rc rc = read_body(req, create_fields, &body);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (wanted->title[0] == '\0')
		wanted->title = wanted->name;
	wanted->has_secret = body.secret != NULL && body.secret[0] != '\0';
	rc = provider_create(req->db, req->arena, wanted, body.secret,
		identity_of(req)->seal, &req->fault);
	rc = finish(req, rc,
		(struct audit){.action = "provider.create",
			.after = provider_json(req->arena, wanted)},
		wanted->name);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/providers/%s",
			wanted->name));
	return answer(req, resp, 201, wanted->name);
}

/* The audit says that there is another secret, not which. */
static const char *
after_json(struct req *req, const struct body *body)
{
	struct jsonw *json = jsonw_in(req->arena);

	jsonw_open_obj(json, NULL);
	provider_write(json, &body->provider);
	if (body->secret != NULL)
		jsonw_bool(json, "secretReplaced", true);
	jsonw_close_obj(json);
	return json->out->data;
}

enum rc
admin_provider_change(struct req *req, struct resp *resp)
{
	struct body body = {.secret = NULL};
	struct provider old;
	enum rc rc = find(req, req_arg(req, "provider"), &old);

	body.provider = old;
	if (rc == RC_OK)
		rc = read_body(req, change_fields, &body);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = provider_change(req->db, req->arena, &body.provider, body.secret,
		identity_of(req)->seal, &req->fault);
	if (body.secret != NULL)
		body.provider.has_secret = body.secret[0] != '\0';
	rc = finish(req, rc,
		(struct audit){.action = "provider.change",
			.before = provider_json(req->arena, &old),
			.after = after_json(req, &body)},
		old.name);
	return rc == RC_OK ? answer(req, resp, 200, old.name) : rc;
}

enum rc
admin_provider_remove(struct req *req, struct resp *resp)
{
	struct provider old;
	enum rc rc = find(req, req_arg(req, "provider"), &old);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc != RC_OK)
		return rc;
	rc = provider_remove(req->db, req->arena, &old, &req->fault);
	rc = finish(req, rc,
		(struct audit){.action = "provider.remove",
			.before = provider_json(req->arena, &old)},
		old.name);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- the test ---------------------------------------------------------- */

static void
write_keys(struct jsonw *json, const struct jwk_set *keys)
{
	jsonw_open_arr(json, "keys");
	for (size_t i = 0; i < keys->count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "kid", keys->items[i].kid);
		jsonw_str(json, "algorithm", keys->items[i].algorithm);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_int(json, "keysIgnored", (int64_t)keys->ignored);
}

enum rc
admin_provider_test(struct req *req, struct resp *resp)
{
	struct provider provider;
	struct provider_metadata metadata;
	struct jsonw *json;
	enum rc rc = find(req, req_arg(req, "provider"), &provider);
	bool works;

	if (rc != RC_OK)
		return rc;
	rc = provider_metadata_get(req->db, req->arena,
		identity_of(req)->providers, &provider, PROVIDER_TRIED,
		&metadata, &req->fault);
	works = rc == RC_OK;
	if (!works && rc != RC_UPSTREAM && rc != RC_UNAVAILABLE)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_bool(json, "works", works);
	jsonw_str(json, "problem", works ? NULL : req->fault.client);
	if (works) {
		jsonw_str(json, "authorizationEndpoint",
			metadata.authorization_endpoint);
		jsonw_str(json, "tokenEndpoint", metadata.token_endpoint);
		jsonw_bool(json, "saysIssuer", metadata.says_issuer);
		write_keys(json, &metadata.keys);
	}
	jsonw_close_obj(json);
	oauth_no_store(resp);
	return RC_OK;
}

/* --- groups ------------------------------------------------------------ */

static enum rc
find_source(struct req *req, struct admin_source *source)
{
	struct provider provider;
	enum rc rc = find(req, req_arg(req, "provider"), &provider);

	if (rc == RC_OK)
		*source = (struct admin_source){"provider", provider.name,
			provider_source(req->arena, &provider)};
	return rc;
}

enum rc
admin_provider_groups(struct req *req, struct resp *resp)
{
	struct admin_source source;
	enum rc rc = find_source(req, &source);

	return rc == RC_OK ? admin_mapping_list(req, resp, &source) : rc;
}

enum rc
admin_provider_map(struct req *req, struct resp *resp)
{
	struct admin_source source;
	enum rc rc = find_source(req, &source);

	return rc == RC_OK ? admin_mapping_set(req, resp, &source, GROUP_MAP)
			   : rc;
}

enum rc
admin_provider_unmap(struct req *req, struct resp *resp)
{
	struct admin_source source;
	enum rc rc = find_source(req, &source);

	return rc == RC_OK ? admin_mapping_set(req, resp, &source, GROUP_UNMAP)
			   : rc;
}
