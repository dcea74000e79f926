/* controller_rule: rules for administrators, by REST. */

#include "fcgi/controller_rights.h"

#include <string.h>

#include "fcgi/listing.h"
#include "fcgi/policy_json.h"
#include "lib/field.h"

static const char *const sorts[] = {"subject", "created", NULL};
static const char *const effects[] = {"allow", "deny", NULL};

static const struct listing_filter filters[] = {
	{"subjectKind", offsetof(struct policy_rule_filter, subject_kind),
		LISTING_TEXT, policy_subject_kinds},
	{"subject", offsetof(struct policy_rule_filter, subject), LISTING_TEXT,
		NULL},
	{"dataSource", offsetof(struct policy_rule_filter, datasource),
		LISTING_UUID, NULL},
	{"effect", offsetof(struct policy_rule_filter, effect), LISTING_TEXT,
		effects},
	{"search", offsetof(struct policy_rule_filter, search), LISTING_TEXT,
		NULL},
	LISTING_FILTERS_END,
};

static const struct listing rules = {.sorts = sorts, .filters = filters};

enum rc
controller_rule_list(struct req *req, struct resp *resp)
{
	struct policy_rule_filter filter = {.search = NULL};
	struct policy_rule_list list = {0, NULL};
	struct slice slice;
	struct jsonw *json;
	enum rc rc = listing_read(req, &rules, &filter, &slice);

	if (rc == RC_OK)
		rc = policy_rule_slice(req->db, req->arena, &filter, &slice,
			&list, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		policy_rule_write(json, req->arena, NULL, &list.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

static enum rc
find(struct req *req, struct policy_rule *rule)
{
	return policy_rule_find(
		req->db, req->arena, req_arg(req, "rule"), rule, &req->fault);
}

static enum rc
answer(struct req *req, struct resp *resp, int status, const char *id)
{
	struct policy_rule rule;
	enum rc rc =
		policy_rule_find(req->db, req->arena, id, &rule, &req->fault);

	if (rc == RC_OK)
		policy_rule_write(
			resp_json(resp, status), req->arena, NULL, &rule);
	return rc;
}

enum rc
controller_rule_get(struct req *req, struct resp *resp)
{
	return answer(req, resp, 200, req_arg(req, "rule"));
}

/* --- bodies --- */

struct body {
	const char *kind;
	const char *subject;
	const char *effect;
	struct texts rights;
	const char *datasource;
	const char *pattern;
	struct texts names;
	const char *description;
};

#define RULE_FIELDS                                                            \
	{"effect", FIELD_TEXT, offsetof(struct body, effect), .maximum = 8},   \
		{"rights", FIELD_TEXTS, offsetof(struct body, rights),         \
			.maximum = 16},                                        \
		{"dataSource", FIELD_TEXT, offsetof(struct body, datasource),  \
			.maximum = 36},                                        \
		{"pattern", FIELD_TEXT, offsetof(struct body, pattern),        \
			.maximum = VARIABLE_NAME_BYTES_MAX},                   \
		{"names", FIELD_TEXTS, offsetof(struct body, names),           \
			.maximum = POLICY_RULE_NAMES_MAX},                     \
	{                                                                      \
		"description", FIELD_TEXT, offsetof(struct body, description), \
			.maximum = POLICY_RULE_DESCRIPTION_BYTES               \
	}

static const struct field create_fields[] = {
	{"subjectKind", FIELD_TEXT, offsetof(struct body, kind),
		.required = true, .maximum = 16},
	{"subject", FIELD_TEXT, offsetof(struct body, subject), .maximum = 128},
	RULE_FIELDS,
	FIELDS_END,
};

static const struct field change_fields[] = {RULE_FIELDS, FIELDS_END};

/* A list of the body, NULL at the end. */
static const char **
terminated(struct arena *arena, const struct texts *texts)
{
	const char **list = arena_array(arena, texts->count + 1, sizeof(*list));

	memcpy(list, texts->items, texts->count * sizeof(*list));
	return list;
}

static enum rc
take_rights(struct req *req, const struct texts *rights, uint32_t *actions)
{
	*actions = 0;
	for (size_t i = 0; i < rights->count; i++) {
		uint32_t more;
		enum rc rc = policy_actions_parse(
			rights->items[i], &more, &req->fault);

		if (rc != RC_OK)
			return rc;
		*actions |= more;
	}
	return RC_OK;
}

static void
take_object(struct req *req, const struct body *body, struct policy_rule *rule)
{
	if (body->names.items != NULL) {
		rule->names = terminated(req->arena, &body->names);
		rule->pattern = body->pattern != NULL ? body->pattern : "";
	} else if (body->pattern != NULL) {
		rule->names = NULL;
		rule->pattern = body->pattern;
	}
}

/* What the body gives; the rest of "rule" stays. */
static enum rc
take_body(struct req *req, const struct body *body, struct policy_rule *rule)
{
	enum rc rc = RC_OK;

	take_object(req, body, rule);
	if (body->description != NULL)
		rule->description = body->description;
	if (body->effect != NULL) {
		rule->deny = strcmp(body->effect, "deny") == 0;
		if (!rule->deny && strcmp(body->effect, "allow") != 0)
			return fault_tell(&req->fault, RC_BAD_INPUT, "BadRule",
				"effect", "An effect is allow or deny.");
	}
	if (body->rights.items != NULL)
		rc = take_rights(req, &body->rights, &rule->actions);
	if (rc == RC_OK && body->datasource != NULL)
		rc = controller_datasource(
			req, body->datasource, &rule->datasource_id);
	return rc;
}

/* --- changes --- */

static enum rc
create(struct req *req, const struct body *body, struct policy_rule *rule)
{
	struct audit what = {.action = "rule.create"};
	enum rc rc = policy_subject_find(req->db, req->arena, body->kind,
		body->subject != NULL ? body->subject : "", &rule->subject,
		&req->fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_BAD_INPUT, "SubjectNotFound",
			"subject", "There is no such %s.", body->kind);
	if (rc == RC_OK)
		rc = take_body(req, body, rule);
	if (rc == RC_OK)
		rc = policy_rule_create(
			req->db, req->arena, rule, &rule->id, &req->fault);
	if (rc == RC_OK)
		rc = policy_rule_find(
			req->db, req->arena, rule->id, rule, &req->fault);
	if (rc == RC_OK)
		what.after = policy_rule_text(req->arena, rule);
	return controller_finish(req, rc, &what, "rule", rule->id);
}

enum rc
controller_rule_create(struct req *req, struct resp *resp)
{
	struct policy_rule rule = {.pattern = "*", .description = ""};
	struct body body = {.kind = NULL};
	enum rc rc = req_json(req, create_fields, &body);

	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = create(req, &body, &rule);
	if (rc != RC_OK)
		return rc;
	resp_header(resp, "Location",
		arena_printf(req->arena, "/api/v1/admin/rules/%s", rule.id));
	return answer(req, resp, 201, rule.id);
}

enum rc
controller_rule_change(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "rule.change"};
	struct body body = {.kind = NULL};
	struct policy_rule rule;
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = find(req, &rule);
	if (rc != RC_OK)
		return rc;
	what.before = policy_rule_text(req->arena, &rule);
	rc = req_json(req, change_fields, &body);
	if (rc == RC_OK)
		rc = take_body(req, &body, &rule);
	if (rc == RC_OK)
		rc = policy_rule_change(
			req->db, req->arena, &rule, &req->fault);
	if (rc == RC_OK)
		rc = find(req, &rule);
	if (rc == RC_OK)
		what.after = policy_rule_text(req->arena, &rule);
	rc = controller_finish(req, rc, &what, "rule", rule.id);
	return rc == RC_OK ? answer(req, resp, 200, rule.id) : rc;
}

enum rc
controller_rule_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "rule.delete"};
	struct policy_rule rule;
	enum rc rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);

	if (rc == RC_OK)
		rc = find(req, &rule);
	if (rc != RC_OK)
		return rc;
	what.before = policy_rule_text(req->arena, &rule);
	rc = policy_rule_delete(req->db, req->arena, rule.id, &req->fault);
	rc = controller_finish(req, rc, &what, "rule", rule.id);
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
