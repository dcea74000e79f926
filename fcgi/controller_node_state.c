/* controller_node_state: nodes are let in and shut out. */

#include "fcgi/controller_node_parts.h"

#include <string.h>

#include "lib/field.h"
#include "model/audit.h"
#include "model/enrolment_issue.h"
#include "model/node_view.h"

/* --- state --- */

static enum rc
turn(struct req *req, struct resp *resp, enum enrolment_verb verb,
	const char *action)
{
	struct enrolled node;
	enum rc rc = controller_node_begin(req);

	if (rc != RC_OK)
		return rc;
	rc = controller_node_find(req, &node);
	if (rc == RC_OK)
		rc = enrolment_turn(req->db, node.id, verb, &req->fault);
	if (rc == RC_OK)
		rc = controller_node_record(req, action, node.name,
			audit_values(req->arena, "state", node.state, NULL),
			NULL);
	rc = controller_node_end(req, rc);
	return rc == RC_OK
		       ? controller_node_answer(req, resp, node.id, 200, NULL)
		       : rc;
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
		rc = controller_node_find(req, node);
	if (rc == RC_OK)
		rc = enrolment_approve(
			req->db, req->arena, node->id, hash, &req->fault);
	if (rc == RC_OK)
		rc = controller_node_record(req, "node.approve", node->name,
			NULL, audit_values(req->arena, "key", key, NULL));
	return rc;
}

enum rc
controller_node_approve(struct req *req, struct resp *resp)
{
	struct approval body = {.key = NULL};
	struct enrolled node = {.id = 0};
	enum rc rc = RC_OK;

	if (req->body_bytes > 0)
		rc = req_json(req, approve_fields, &body);
	if (rc == RC_OK)
		rc = controller_node_begin(req);
	if (rc != RC_OK)
		return rc;
	rc = controller_node_end(req, approve(req, &node, body.key));
	return rc == RC_OK
		       ? controller_node_answer(req, resp, node.id, 200, NULL)
		       : rc;
}

/* --- certificates --- */

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
	enum rc rc = controller_node_find(req, &node);

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
		rc = controller_node_find(req, &node);
	if (rc == RC_OK)
		rc = enrolment_revoke(
			req->db, node.id, fingerprint, &req->fault);
	if (rc == RC_OK)
		rc = controller_node_record(req, "node.revoke", node.name,
			audit_values(req->arena, "fingerprint", text, NULL),
			NULL);
	return rc;
}

enum rc
controller_node_revoke(struct req *req, struct resp *resp)
{
	enum rc rc = controller_node_begin(req);

	if (rc == RC_OK)
		rc = controller_node_end(req, revoke(req));
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
