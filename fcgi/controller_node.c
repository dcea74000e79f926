/* controller_node: nodes for administrators. */

#include "fcgi/controller_node.h"

#include <string.h>
#include <strings.h>

#include "fcgi/listing.h"
#include "lib/clock.h"
#include "lib/field.h"
#include "model/audit.h"
#include "model/datasource.h"
#include "model/enrolment_code.h"
#include "model/enrolment_issue.h"
#include "model/node_view.h"

#define TEXT_BYTES_MAX      1000
#define DATASOURCES_MAX     1000
#define MILLISECONDS_PER_US 1000.0

/* --- answers
 * ------------------------------------------------------------------ */

static void
write_count(struct jsonw *json, const char *key, int64_t count)
{
	if (count >= 0)
		jsonw_int(json, key, count);
	else
		jsonw_null(json, key);
}

static void
write_waiting(struct jsonw *json, const struct node_view *node)
{
	if (node->waiting_key == NULL) {
		jsonw_null(json, "request");
		return;
	}
	jsonw_open_obj(json, "request");
	jsonw_str(json, "key", node->waiting_key);
	jsonw_str(json, "address", node->waiting_address);
	jsonw_time(json, "asked", node->waiting_us);
	jsonw_bool(json, "approved", node->waiting_approved);
	jsonw_close_obj(json);
}

static void
write_machine(struct jsonw *json, const struct node_view *node)
{
	jsonw_time(json, "lastSeen", node->seen_us);
	jsonw_str(json, "address", node->address);
	jsonw_str(json, "version", node->version);
	write_count(json, "spoolFrames", node->spool_frames);
	write_count(json, "spoolBytes", node->spool_bytes);
	jsonw_time(json, "spoolOldest", node->spool_oldest_us);
	write_count(json, "lostSamples", node->lost_samples);
	if (node->has_clock)
		jsonw_num(json, "clockOffsetMs",
			(double)node->clock_offset_us / MILLISECONDS_PER_US);
	else
		jsonw_null(json, "clockOffsetMs");
}

static void
write_view(struct jsonw *json, const struct node_view *node)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, node->uuid);
	jsonw_str(json, "id", uuid);
	jsonw_str(json, "name", node->name);
	jsonw_str(json, "kind", node->kind);
	jsonw_str(json, "state", node->state);
	jsonw_str(json, "description", node->description);
	jsonw_bool(json, "approval", node->needs_approval);
	jsonw_time(json, "created", node->created_us);
	jsonw_time(json, "changed", node->changed_us);
	jsonw_str(json, "clientId", node->client_id);
	jsonw_time(json, "certificateEnds", node->certificate_end_us);
	jsonw_time(json, "tokenEnds", node->token_end_us);
	write_waiting(json, node);
	write_machine(json, node);
}

void
controller_write_rights(
	struct jsonw *json, const struct node_view_rights *rights)
{
	jsonw_open_arr(json, "datasources");
	for (size_t i = 0; i < rights->count; i++) {
		char uuid[UUID_TEXT_BYTES];

		uuid_format(uuid, rights->items[i].datasource);
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "id", uuid);
		jsonw_str(json, "name", rights->items[i].name);
		jsonw_bool(json, "publish", rights->items[i].publish);
		jsonw_bool(json, "subscribe", rights->items[i].subscribe);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
}

/* A token as it is shown once. */
struct shown {
	const char *code; /* NULL = none */
	int64_t expires_us;
};

static void
write_token(struct jsonw *json, struct req *req, const struct shown *shown)
{
	jsonw_str(json, "token", shown->code);
	jsonw_time(json, "expires", shown->expires_us);
	jsonw_str(json, "command",
		arena_printf(req->arena,
			"fieldgrid-ingress enrol %s --token %s",
			controller_of(req)->conf->issuer, shown->code));
}

static enum rc
answer_node(struct req *req, struct resp *resp, int64_t id, int status,
	const struct shown *shown)
{
	struct node_view node;
	struct node_view_rights rights;
	struct jsonw *json;
	enum rc rc =
		node_view_find(req->db, req->arena, id, &node, &req->fault);

	if (rc == RC_OK)
		rc = node_view_rights(
			req->db, req->arena, id, &rights, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, status);
	jsonw_open_obj(json, NULL);
	write_view(json, &node);
	controller_write_rights(json, &rights);
	if (shown != NULL) {
		jsonw_open_obj(json, "enrolment");
		write_token(json, req, shown);
		jsonw_close_obj(json);
	}
	jsonw_close_obj(json);
	return RC_OK;
}

/* --- what every handler begins and ends with
 * ----------------------------------- */

static enum rc
find(struct req *req, struct enrolled *node)
{
	enum rc rc = enrolment_find(
		req->db, req->arena, req_arg(req, "node"), node, &req->fault);

	return rc == RC_NOT_FOUND ? fault_tell(&req->fault, rc, "NodeNotFound",
					    NULL, "There is no such node.")
				  : rc;
}

static enum rc
record(struct req *req, const char *action, const char *name,
	const char *before, const char *after)
{
	return audit_write(req,
		&(struct audit){.action = action,
			.object = arena_printf(req->arena, "node:%s", name),
			.result = AUDIT_OK,
			.before = before,
			.after = after});
}

static enum rc
begin(struct req *req)
{
	return db_begin(req->db, DB_READ_COMMITTED, &req->fault);
}

static enum rc
end(struct req *req, enum rc rc)
{
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

/* --- the list
 * -------------------------------------------------------------------- */

static const char *const sorts[] = {
	"name", "created", "seen", "state", "expires", NULL};
static const char *const states[] = {
	"pending", "authorised", "blocked", "retired", NULL};
static const char *const kinds[] = {"ingress", "egress", "service", NULL};
static const struct listing_filter filters[] = {
	{"search", offsetof(struct node_view_filter, search), LISTING_TEXT,
		NULL},
	{"state", offsetof(struct node_view_filter, state), LISTING_TEXT,
		states},
	{"kind", offsetof(struct node_view_filter, kind), LISTING_TEXT, kinds},
	{"dataSource", offsetof(struct node_view_filter, datasource),
		LISTING_UUID, NULL},
	{"waiting", offsetof(struct node_view_filter, waiting), LISTING_TEXT,
		listing_yes_no},
	LISTING_FILTERS_END,
};
static const struct listing nodes = {.sorts = sorts, .filters = filters};

enum rc
controller_node_list(struct req *req, struct resp *resp)
{
	struct node_view_filter filter = {.search = NULL};
	struct node_view_list list;
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &nodes, &filter, &slice);

	if (rc == RC_OK)
		rc = node_view_slice(req->db, req->arena, &filter, &slice,
			&list, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++) {
		jsonw_open_obj(json, NULL);
		write_view(json, &list.items[i]);
		jsonw_close_obj(json);
	}
	listing_close(json, req, &slice);
	return RC_OK;
}

enum rc
controller_node_show(struct req *req, struct resp *resp)
{
	struct enrolled node;
	enum rc rc = find(req, &node);

	return rc == RC_OK ? answer_node(req, resp, node.id, 200, NULL) : rc;
}

/* --- tokens
 * ---------------------------------------------------------------------- */

static enum rc
offer(struct req *req, const struct enrolled *node, struct shown *shown)
{
	struct enrolment_token token;
	struct enrolment_code code;
	const char *bundle = NULL;
	enum rc rc = controller_bundle_read(req, &bundle);

	if (rc == RC_OK)
		rc = tls_bundle_pin(req->arena, bundle, code.pin, &req->fault);
	if (rc == RC_OK)
		rc = enrolment_offer(
			req->db, req->arena, node->id, &token, &req->fault);
	if (rc != RC_OK)
		return rc;
	memcpy(code.uuid, node->uuid, UUID_BYTES);
	code.secret = token.secret;
	shown->code = enrolment_code_write(req->arena, &code);
	shown->expires_us = token.expires_us;
	return record(req, "node.token", node->name, NULL, NULL);
}

enum rc
controller_node_token(struct req *req, struct resp *resp)
{
	struct shown shown;
	struct enrolled node;
	struct jsonw *json;
	enum rc rc = begin(req);

	if (rc != RC_OK)
		return rc;
	rc = find(req, &node);
	if (rc == RC_OK)
		rc = offer(req, &node, &shown);
	rc = end(req, rc);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 201);
	jsonw_open_obj(json, NULL);
	write_token(json, req, &shown);
	jsonw_close_obj(json);
	resp_header(resp, "Cache-Control", "no-store");
	return RC_OK;
}

/* --- creating and changing
 * ---------------------------------------------------------- */

struct body {
	struct enrolment_new node;
	struct texts publish;
	struct texts subscribe;
};

#define BODY(name, kind, member, required, limit)                              \
	{                                                                      \
		name, kind, offsetof(struct body, member), required, 0, limit, \
			NULL                                                   \
	}

static const struct field create_fields[] = {
	BODY("name", FIELD_TEXT, node.name, true, 128),
	BODY("kind", FIELD_TEXT, node.kind, false, 16),
	BODY("description", FIELD_TEXT, node.description, false,
		TEXT_BYTES_MAX),
	BODY("approval", FIELD_BOOL, node.needs_approval, false, 0),
	BODY("publish", FIELD_TEXTS, publish, false, DATASOURCES_MAX),
	BODY("subscribe", FIELD_TEXTS, subscribe, false, DATASOURCES_MAX),
	FIELDS_END,
};

static const struct field change_fields[] = {
	BODY("name", FIELD_TEXT, node.name, false, 128),
	BODY("description", FIELD_TEXT, node.description, false,
		TEXT_BYTES_MAX),
	BODY("approval", FIELD_BOOL, node.needs_approval, false, 0),
	FIELDS_END,
};

static bool
among(const struct texts *texts, const char *uuid)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strcasecmp(texts->items[i], uuid) == 0)
			return true;
	return false;
}

static enum rc
find_datasource(struct req *req, const char *text, const char *field,
	struct datasource *datasource)
{
	uint8_t uuid[UUID_BYTES];
	enum rc rc = RC_NOT_FOUND;

	if (uuid_parse(text, uuid))
		rc = datasource_find(
			req->db, req->arena, uuid, datasource, &req->fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_BAD_INPUT,
			"DatasourceNotFound", field,
			"There is no datasource %.40s.", text);
	return rc;
}

static enum rc
allow(struct req *req, int64_t node_id, const struct body *body,
	const struct texts *some, const char *field)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < some->count; i++) {
		struct datasource datasource;

		rc = find_datasource(req, some->items[i], field, &datasource);
		if (rc == RC_OK)
			rc = enrolment_allow(req->db, node_id, datasource.id,
				among(&body->publish, some->items[i]),
				among(&body->subscribe, some->items[i]),
				&req->fault);
	}
	return rc;
}

static enum rc
create(struct req *req, const struct body *body, struct enrolled *node,
	struct shown *shown)
{
	enum rc rc = enrolment_create(
		req->db, req->arena, &body->node, node, &req->fault);

	if (rc == RC_OK)
		rc = allow(req, node->id, body, &body->publish, "publish");
	if (rc == RC_OK)
		rc = allow(req, node->id, body, &body->subscribe, "subscribe");
	if (rc == RC_OK)
		rc = record(req, "node.create", node->name, NULL,
			audit_values(req->arena, "kind", node->kind, NULL));
	return rc == RC_OK ? offer(req, node, shown) : rc;
}

enum rc
controller_node_create(struct req *req, struct resp *resp)
{
	struct body body = {.node = {.kind = "ingress"}};
	struct enrolled node;
	struct shown shown;
	enum rc rc = req_json(req, create_fields, &body);

	if (rc == RC_OK)
		rc = begin(req);
	if (rc != RC_OK)
		return rc;
	rc = end(req, create(req, &body, &node, &shown));
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/nodes/%s", node.name));
	resp_header(resp, "Cache-Control", "no-store");
	return answer_node(req, resp, node.id, 201, &shown);
}

static const char *
settings(struct req *req, const char *name, const char *description,
	bool needs_approval)
{
	return audit_values(req->arena, "name", name, "description",
		description, "approval", needs_approval ? "yes" : "no", NULL);
}

static enum rc
change(struct req *req, const struct enrolled *node)
{
	struct node_view before;
	struct body body = {.node = {.name = node->name,
				    .needs_approval = node->needs_approval}};
	enum rc rc = node_view_find(
		req->db, req->arena, node->id, &before, &req->fault);

	body.node.description = before.description;
	if (rc == RC_OK)
		rc = req_json(req, change_fields, &body);
	if (rc == RC_OK)
		rc = enrolment_change(
			req->db, node->id, &body.node, &req->fault);
	if (rc != RC_OK)
		return rc;
	return record(req, "node.change", node->name,
		settings(req, before.name, before.description,
			before.needs_approval),
		settings(req, body.node.name, body.node.description,
			body.node.needs_approval));
}

enum rc
controller_node_change(struct req *req, struct resp *resp)
{
	struct enrolled node;
	enum rc rc = begin(req);

	if (rc != RC_OK)
		return rc;
	rc = find(req, &node);
	if (rc == RC_OK)
		rc = change(req, &node);
	rc = end(req, rc);
	return rc == RC_OK ? answer_node(req, resp, node.id, 200, NULL) : rc;
}

enum rc
controller_node_remove(struct req *req, struct resp *resp)
{
	struct enrolled node;
	enum rc rc = begin(req);

	if (rc != RC_OK)
		return rc;
	rc = find(req, &node);
	if (rc == RC_OK)
		rc = enrolment_remove(req->db, node.id, &req->fault);
	if (rc == RC_OK)
		rc = record(req, "node.remove", node.name, NULL, NULL);
	rc = end(req, rc);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- state
 * -------------------------------------------------------------------------- */

static enum rc
turn(struct req *req, struct resp *resp, enum enrolment_verb verb,
	const char *action)
{
	struct enrolled node;
	enum rc rc = begin(req);

	if (rc != RC_OK)
		return rc;
	rc = find(req, &node);
	if (rc == RC_OK)
		rc = enrolment_turn(req->db, node.id, verb, &req->fault);
	if (rc == RC_OK)
		rc = record(req, action, node.name,
			audit_values(req->arena, "state", node.state, NULL),
			NULL);
	rc = end(req, rc);
	return rc == RC_OK ? answer_node(req, resp, node.id, 200, NULL) : rc;
}

enum rc
controller_node_block(struct req *req, struct resp *resp)
{
	return turn(req, resp, ENROLMENT_BLOCK, "node.block");
}

enum rc
controller_node_unblock(struct req *req, struct resp *resp)
{
	return turn(req, resp, ENROLMENT_UNBLOCK, "node.unblock");
}

enum rc
controller_node_retire(struct req *req, struct resp *resp)
{
	return turn(req, resp, ENROLMENT_RETIRE, "node.retire");
}

struct approval {
	const char *key;
};

static const struct field approve_fields[] = {
	{"key", FIELD_TEXT, offsetof(struct approval, key), false, 0, 64, NULL},
	FIELDS_END,
};

/* SHA-256 in hexadecimal. */
static enum rc
read_hash(struct req *req, const char *text, const char *field,
	const uint8_t **hash)
{
	size_t bytes = 0;

	*hash = decode_hex(req->arena, text, strlen(text), &bytes);
	if (*hash != NULL && bytes == TLS_FINGERPRINT_BYTES)
		return RC_OK;
	return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", field,
		"%s is 64 hexadecimal letters.", field);
}

static enum rc
approve(struct req *req, struct enrolled *node, const char *key)
{
	const uint8_t *hash = NULL;
	enum rc rc = RC_OK;

	if (key != NULL)
		rc = read_hash(req, key, "key", &hash);
	if (rc == RC_OK)
		rc = find(req, node);
	if (rc == RC_OK)
		rc = enrolment_approve(
			req->db, req->arena, node->id, hash, &req->fault);
	if (rc == RC_OK)
		rc = record(req, "node.approve", node->name, NULL,
			audit_values(req->arena, "key", key, NULL));
	return rc;
}

enum rc
controller_node_approve(struct req *req, struct resp *resp)
{
	struct approval body = {.key = NULL};
	struct enrolled node;
	enum rc rc = RC_OK;

	if (req->body_bytes > 0)
		rc = req_json(req, approve_fields, &body);
	if (rc == RC_OK)
		rc = begin(req);
	if (rc != RC_OK)
		return rc;
	rc = end(req, approve(req, &node, body.key));
	return rc == RC_OK ? answer_node(req, resp, node.id, 200, NULL) : rc;
}

/* --- certificates
 * ---------------------------------------------------------------------- */

static void
write_certificate(
	struct jsonw *json, const struct node_view_certificate *certificate)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "fingerprint", certificate->fingerprint);
	jsonw_str(json, "serial", certificate->serial);
	jsonw_time(json, "issued", certificate->issued_us);
	jsonw_time(json, "notBefore", certificate->not_before_us);
	jsonw_time(json, "notAfter", certificate->not_after_us);
	jsonw_time(json, "firstSeen", certificate->seen_us);
	jsonw_time(json, "revoked", certificate->revoked_us);
	jsonw_str(json, "reason", certificate->reason);
	jsonw_close_obj(json);
}

enum rc
controller_node_certificates(struct req *req, struct resp *resp)
{
	struct node_view_certificates list;
	struct enrolled node;
	struct jsonw *json;
	enum rc rc = find(req, &node);

	if (rc == RC_OK)
		rc = node_view_certificates(
			req->db, req->arena, node.id, &list, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_open_arr(json, "items");
	for (size_t i = 0; i < list.count; i++)
		write_certificate(json, &list.items[i]);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return RC_OK;
}

static enum rc
revoke(struct req *req)
{
	const char *text = req_arg(req, "fingerprint");
	const uint8_t *fingerprint = NULL;
	struct enrolled node;
	enum rc rc = read_hash(req, text, "fingerprint", &fingerprint);

	if (rc == RC_OK)
		rc = find(req, &node);
	if (rc == RC_OK)
		rc = enrolment_revoke(
			req->db, node.id, fingerprint, &req->fault);
	if (rc == RC_OK)
		rc = record(req, "node.revoke", node.name,
			audit_values(req->arena, "fingerprint", text, NULL),
			NULL);
	return rc;
}

enum rc
controller_node_revoke(struct req *req, struct resp *resp)
{
	enum rc rc = begin(req);

	if (rc == RC_OK)
		rc = end(req, revoke(req));
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}

/* --- datasources
 * ------------------------------------------------------------------------- */

struct right {
	bool publish;
	bool subscribe;
};

static const struct field right_fields[] = {
	{"publish", FIELD_BOOL, offsetof(struct right, publish), false, 0, 0,
		NULL},
	{"subscribe", FIELD_BOOL, offsetof(struct right, subscribe), false, 0,
		0, NULL},
	FIELDS_END,
};

static enum rc
set_right(struct req *req, const struct right *right, struct enrolled *node)
{
	struct datasource datasource;
	uint8_t uuid[UUID_BYTES];
	enum rc rc = find(req, node);

	if (rc == RC_OK)
		rc = req_arg_uuid(req, "ds", uuid);
	if (rc == RC_OK)
		rc = datasource_find(
			req->db, req->arena, uuid, &datasource, &req->fault);
	if (rc == RC_OK)
		rc = enrolment_allow(req->db, node->id, datasource.id,
			right->publish, right->subscribe, &req->fault);
	if (rc != RC_OK)
		return rc;
	return record(req, "node.change", node->name, NULL,
		audit_values(req->arena, "datasource", datasource.uuid_text,
			"publish", right->publish ? "yes" : "no", "subscribe",
			right->subscribe ? "yes" : "no", NULL));
}

enum rc
controller_node_allow(struct req *req, struct resp *resp)
{
	struct right right = {.publish = false};
	struct enrolled node;
	enum rc rc = req_json(req, right_fields, &right);

	if (rc == RC_OK)
		rc = begin(req);
	if (rc == RC_OK)
		rc = end(req, set_right(req, &right, &node));
	return rc == RC_OK ? answer_node(req, resp, node.id, 200, NULL) : rc;
}

enum rc
controller_node_disallow(struct req *req, struct resp *resp)
{
	const struct right none = {.publish = false};
	struct enrolled node;
	enum rc rc = begin(req);

	if (rc == RC_OK)
		rc = end(req, set_right(req, &none, &node));
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
