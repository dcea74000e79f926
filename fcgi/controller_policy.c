/* controller_policy: may somebody, and why? */

#include "fcgi/controller_rights.h"

#include <string.h>

#include "fcgi/policy_json.h"
#include "lib/encode.h"
#include "lib/field.h"
#include "model/caller.h"
#include "model/client.h"
#include "model/datasource.h"
#include "model/policy_explain.h"

#define BATCH_MAX 1000

struct body {
	const char *kind;
	const char *subject;
	struct texts scopes;
	const char *datasource;
	const char *right;
	struct texts variables;
	const char *variable;
};

#define QUESTION_FIELDS                                                        \
	{"subjectKind", FIELD_TEXT, offsetof(struct body, kind),               \
		.maximum = 16},                                                \
		{"subject", FIELD_TEXT, offsetof(struct body, subject),        \
			.maximum = 128},                                       \
		{"scopes", FIELD_TEXTS, offsetof(struct body, scopes),         \
			.maximum = 16},                                        \
		{"dataSource", FIELD_TEXT, offsetof(struct body, datasource),  \
			.required = true, .maximum = 36},                      \
	{                                                                      \
		"right", FIELD_TEXT, offsetof(struct body, right),             \
			.required = true, .maximum = 32                        \
	}

static const struct field check_fields[] = {
	QUESTION_FIELDS,
	{"variables", FIELD_TEXTS, offsetof(struct body, variables),
		.required = true, .maximum = BATCH_MAX},
	FIELDS_END,
};

static const struct field explain_fields[] = {
	QUESTION_FIELDS,
	{"variable", FIELD_TEXT, offsetof(struct body, variable),
		.required = true, .maximum = VARIABLE_NAME_BYTES_MAX},
	FIELDS_END,
};

/* --- the question --- */

/* The question, whose it is, and what the asker may know. */
struct asked {
	struct body body;
	struct policy_question question;
	struct datasource datasource;
	bool own; /* the caller asks about itself */
};

static enum rc
take_right(struct req *req, const char *text, enum policy_action *action)
{
	uint32_t actions;
	enum rc rc = policy_actions_parse(text, &actions, &req->fault);

	if (rc != RC_OK)
		return rc;
	if ((actions & (actions - 1)) != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "UnknownRight",
			"right", "Ask about one right; \"%s\" is several.",
			text);
	*action = (enum policy_action)actions;
	return RC_OK;
}

static const char *
join_scopes(struct arena *arena, const char *const *scopes, size_t count)
{
	const char *joined = "";

	for (size_t i = 0; i < count; i++)
		joined = arena_printf(arena, "%s%s ", joined, scopes[i]);
	return joined;
}

/* A client acts with the scopes that it is registered with. */
static enum rc
scopes_of_client(struct req *req, const char *name, const char **scopes)
{
	struct client client;
	size_t count = 0;
	enum rc rc =
		client_find(req->db, req->arena, name, &client, &req->fault);

	if (rc != RC_OK)
		return rc;
	while (client.scopes[count] != NULL)
		count++;
	*scopes = join_scopes(req->arena, client.scopes, count);
	return RC_OK;
}

static enum rc
ask_about_other(struct req *req, struct asked *asked)
{
	struct policy_question *question = &asked->question;
	const struct body *body = &asked->body;
	const struct policy *policy;
	enum rc rc = policy_of(req, &policy);

	if (rc == RC_OK)
		rc = policy_check_administrator(policy, &req->fault);
	if (rc == RC_OK)
		rc = policy_subject_find(req->db, req->arena, body->kind,
			body->subject != NULL ? body->subject : "",
			&question->subject, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (strcmp(question->subject.kind, "role") == 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "UnknownSubject",
			"subjectKind", "A role is not somebody who may.");
	if (body->scopes.items != NULL)
		question->scopes = join_scopes(
			req->arena, body->scopes.items, body->scopes.count);
	else if (strcmp(question->subject.kind, "client") == 0)
		rc = scopes_of_client(
			req, question->subject.name, &question->scopes);
	return rc;
}

static void
ask_about_self(const struct req *req, struct asked *asked)
{
	const struct caller *caller = req->caller;

	asked->own = true;
	asked->question.scopes = caller->csrf != NULL ? NULL : caller->scopes;
	asked->question.subject = (struct policy_subject){
		.kind = policy_kind(caller->kind),
		.id = caller->id,
		.name = caller->name,
		.administrator = caller->administrator,
	};
}

/* A datasource that the asker may not see is not there. */
static enum rc
find_datasource(struct req *req, struct asked *asked)
{
	const struct policy *policy = NULL;
	uint8_t uuid[UUID_BYTES];
	enum rc rc = RC_NOT_FOUND;

	if (uuid_parse(asked->body.datasource, uuid))
		rc = datasource_find(req->db, req->arena, uuid,
			&asked->datasource, &req->fault);
	if (rc == RC_OK)
		rc = policy_of(req, &policy);
	if (rc == RC_NOT_FOUND ||
		(rc == RC_OK && asked->own &&
			!policy_sees(policy, asked->datasource.id)))
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound",
			"dataSource", "There is no such datasource.");
	asked->question.datasource_id = asked->datasource.id;
	return rc;
}

static enum rc
read_question(struct req *req, const struct field *fields, struct asked *asked)
{
	enum rc rc = req_json(req, fields, &asked->body);

	if (rc == RC_OK)
		rc = take_right(
			req, asked->body.right, &asked->question.action);
	if (rc != RC_OK)
		return rc;
	if (asked->body.kind != NULL)
		rc = ask_about_other(req, asked);
	else
		ask_about_self(req, asked);
	return rc == RC_OK ? find_datasource(req, asked) : rc;
}

/* --- check --- */

static const struct variable *
find_variable(const struct variable_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return &list->items[i];
	return NULL;
}

/* In the order of the question; what is not there is not allowed. */
static void
write_verdicts(struct jsonw *json, const struct asked *asked,
	const struct policy *policy, const struct variable_list *list)
{
	const struct texts *names = &asked->body.variables;
	size_t at = 0;

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "right", policy_action_name(asked->question.action));
	jsonw_open_arr(json, "allowed");
	for (size_t i = 0; i < names->count; i++) {
		const struct variable *variable = NULL;

		if (at < list->count &&
			strcmp(list->items[at].name, names->items[i]) == 0)
			variable = &list->items[at++];
		else
			variable = find_variable(list, names->items[i]);
		jsonw_bool(json, NULL,
			variable != NULL && policy_may(policy, variable,
						    asked->question.action));
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}

enum rc
controller_policy_check(struct req *req, struct resp *resp)
{
	struct asked asked = {.own = false};
	const struct policy *policy = NULL;
	struct variable_list list;
	enum rc rc = read_question(req, check_fields, &asked);

	if (rc == RC_OK && asked.own)
		rc = policy_of(req, &policy);
	else if (rc == RC_OK)
		rc = policy_load_subject(req->db, req->arena,
			&asked.question.subject, asked.question.scopes, &policy,
			&req->fault);
	if (rc == RC_OK)
		rc = variable_query_names(req->db, req->arena,
			asked.datasource.id, asked.body.variables.items,
			asked.body.variables.count, &list, &req->fault);
	if (rc == RC_OK)
		write_verdicts(resp_json(resp, 200), &asked, policy, &list);
	return rc;
}

/* --- explain --- */

static void
write_reason(struct jsonw *json, struct arena *arena,
	const struct policy_reason *reason)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", reason->rule);
	jsonw_str(json, "effect", reason->deny ? "deny" : "allow");
	policy_rights_write(json, arena, "rights", reason->actions);
	jsonw_str(json, "dataSource",
		reason->datasource != NULL ? reason->datasource : "*");
	jsonw_str(json, reason->literal ? "name" : "pattern", reason->object);
	jsonw_str(json, "subjectKind", reason->kind);
	jsonw_str(json, "subject", reason->name);
	jsonw_str(json, "heldByKind", reason->holder_kind);
	jsonw_str(json, "heldBy", reason->holder);
	jsonw_str(json, "description", reason->description);
	jsonw_close_obj(json);
}

static void
write_answer(struct jsonw *json, struct arena *arena,
	const struct policy_question *question,
	const struct policy_answer *answer)
{
	const struct variable *variable = question->variable;

	jsonw_open_obj(json, NULL);
	jsonw_bool(json, "allowed", answer->allowed);
	jsonw_str(json, "because", policy_because_name(answer->because));
	jsonw_str(json, "message", policy_because_words(answer->because));
	jsonw_str(json, "right", policy_action_name(question->action));
	jsonw_str(json, "subjectKind", question->subject.kind);
	jsonw_str(json, "subject", question->subject.name);
	jsonw_bool(json, "administrator", question->subject.administrator);
	jsonw_open_arr(json, "rules");
	for (size_t i = 0; i < answer->count; i++)
		write_reason(json, arena, &answer->reasons[i]);
	jsonw_close_arr(json);
	jsonw_bool(json, "scopeCovers", answer->scope_covers);
	jsonw_bool(json, "licensed", answer->licensed);
	jsonw_str(json, "access",
		variable != NULL ? variable_access_name(variable->access)
				 : NULL);
	jsonw_close_obj(json);
}

/* Of what one may not read, nobody but an administrator hears. */
static enum rc
check_known(struct req *req, const struct asked *asked)
{
	const struct policy *policy;
	enum rc rc = policy_of(req, &policy);

	if (rc != RC_OK ||
		policy_check_administrator(policy, &req->fault) == RC_OK)
		return rc;
	if (asked->question.variable != NULL &&
		policy_knows(policy, asked->question.variable))
		return RC_OK;
	return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", "variable",
		"There is no variable of this name.");
}

enum rc
controller_policy_explain(struct req *req, struct resp *resp)
{
	struct asked asked = {.own = false};
	struct policy_answer answer;
	struct variable variable;
	enum rc rc = read_question(req, explain_fields, &asked);

	if (rc != RC_OK)
		return rc;
	rc = variable_find(req->db, req->arena, asked.datasource.id,
		asked.body.variable, &variable, &req->fault);
	if (rc == RC_OK)
		asked.question.variable = &variable;
	if (rc == RC_OK || rc == RC_NOT_FOUND)
		rc = check_known(req, &asked);
	if (rc == RC_OK)
		rc = policy_explain(req->db, req->arena, &asked.question,
			&answer, &req->fault);
	if (rc == RC_OK)
		write_answer(resp_json(resp, 200), req->arena, &asked.question,
			&answer);
	return rc;
}
