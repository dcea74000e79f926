/* controller_node: nodes for administrators: how they are answered. */

#include "fcgi/controller_node_parts.h"

#include <string.h>

#include "fcgi/listing.h"
#include "lib/clock.h"
#include "model/audit.h"
#include "model/caller.h"
#include "model/node_event.h"
#include "model/node_view.h"

#define MILLISECONDS_PER_US 1000.0

/* --- answers --- */

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

void
controller_node_write_token(struct jsonw *json, struct req *req,
	const char *kind, const struct controller_token *shown)
{
	jsonw_str(json, "token", shown->code);
	jsonw_time(json, "expires", shown->expires_us);
	jsonw_str(json, "command",
		arena_printf(req->arena, "fieldgrid-%s enrol %s --token %s",
			strcmp(kind, "egress") == 0 ? "egress" : "ingress",
			controller_of(req)->conf->issuer, shown->code));
}

enum rc
controller_node_answer(struct req *req, struct resp *resp, int64_t id,
	int status, const struct controller_token *shown)
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
		controller_node_write_token(json, req, node.kind, shown);
		jsonw_close_obj(json);
	}
	jsonw_close_obj(json);
	return RC_OK;
}

/* --- what every handler begins and ends with --- */

enum rc
controller_node_find(struct req *req, struct enrolled *node)
{
	enum rc rc = enrolment_find(
		req->db, req->arena, req_arg(req, "node"), node, &req->fault);

	return rc == RC_NOT_FOUND ? fault_tell(&req->fault, rc, "NodeNotFound",
					    NULL, "There is no such node.")
				  : rc;
}

enum rc
controller_node_record(struct req *req, const char *action, const char *name,
	const char *before, const char *after)
{
	const struct node_event_by by = {req->caller->name, req->address};
	enum rc rc = audit_write(req,
		&(struct audit){.action = action,
			.object = arena_printf(req->arena, "node:%s", name),
			.result = AUDIT_OK,
			.before = before,
			.after = after});

	return rc == RC_OK ? node_event_write(req->db, req->arena, action, name,
				     &by, &req->fault)
			   : rc;
}

enum rc
controller_node_begin(struct req *req)
{
	return db_begin(req->db, DB_READ_COMMITTED, &req->fault);
}

enum rc
controller_node_end(struct req *req, enum rc rc)
{
	if (rc == RC_OK)
		return db_commit(req->db, &req->fault);
	db_rollback(req->db);
	return rc;
}

/* --- the list --- */

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
	enum rc rc = controller_node_find(req, &node);

	return rc == RC_OK
		       ? controller_node_answer(req, resp, node.id, 200, NULL)
		       : rc;
}
