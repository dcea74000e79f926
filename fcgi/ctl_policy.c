/* ctl_policy: what users and clients may do. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "model/client.h"
#include "model/datasource.h"
#include "model/policy.h"
#include "model/user.h"

static const struct stmt *const stmts[] = {
	policy_stmts, user_stmts, client_stmts, datasource_stmts, NULL};

/* "user NAME" or "client ID". */
static enum rc
find_subject(struct ctl *ctl, struct policy_rule *rule)
{
	const char *kind = ctl->arguments[0];
	const char *name = ctl->arguments[1];
	struct user user;
	struct client client;
	enum rc rc;

	if (strcmp(kind, "user") == 0) {
		rc = user_find(ctl->db, ctl->arena, name, &user, &ctl->fault);
		rule->kind = CALLER_USER;
		rule->subject_id = rc == RC_OK ? user.id : 0;
	} else if (strcmp(kind, "client") == 0) {
		rc = client_find(
			ctl->db, ctl->arena, name, &client, &ctl->fault);
		rule->kind = CALLER_CLIENT;
		rule->subject_id = rc == RC_OK ? client.id : 0;
	} else {
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"%s: expected user or client", kind);
	}
	if (rc == RC_NOT_FOUND)
		return fault_set(
			&ctl->fault, rc, "there is no %s \"%s\"", kind, name);
	return rc;
}

/* --datasource UUID; without it every datasource. */
static enum rc
find_datasource(struct ctl *ctl, struct policy_rule *rule)
{
	const char *text = ctl_option(ctl, "datasource");
	uint8_t uuid[UUID_BYTES];
	struct datasource datasource;
	enum rc rc;

	if (text == NULL)
		return RC_OK;
	rc = ctl_uuid(ctl, text, uuid);
	if (rc == RC_OK)
		rc = datasource_find(
			ctl->db, ctl->arena, uuid, &datasource, &ctl->fault);
	if (rc == RC_NOT_FOUND)
		return fault_set(
			&ctl->fault, rc, "there is no datasource %s", text);
	rule->datasource_id = rc == RC_OK ? datasource.id : 0;
	return rc;
}

static enum rc
grant(struct ctl *ctl)
{
	struct policy_rule rule = {
		.pattern = ctl_option_or(ctl, "variables", "*"),
		.deny = ctl_option(ctl, "deny") != NULL};
	enum rc rc = policy_actions_parse(
		ctl->arguments[2], &rule.actions, &ctl->fault);

	if (rc == RC_OK)
		rc = find_subject(ctl, &rule);
	if (rc == RC_OK)
		rc = find_datasource(ctl, &rule);
	if (rc == RC_OK)
		rc = policy_grant(ctl->db, &rule, &ctl->fault);
	if (rc == RC_OK)
		printf("%s %s may %s%s.\n", ctl->arguments[0],
			ctl->arguments[1], rule.deny ? "not " : "",
			ctl->arguments[2]);
	return rc;
}

static enum rc
clear(struct ctl *ctl)
{
	struct policy_rule rule = {.pattern = "*"};
	enum rc rc = find_subject(ctl, &rule);

	if (rc == RC_OK)
		rc = find_datasource(ctl, &rule);
	if (rc == RC_OK)
		rc = policy_clear(ctl->db, rule.kind, rule.subject_id,
			rule.datasource_id, &ctl->fault);
	if (rc == RC_OK)
		printf("The rules of %s %s are gone.\n", ctl->arguments[0],
			ctl->arguments[1]);
	return rc;
}

static const struct ctl_option grant_options[] = {
	{"datasource", "UUID", "only there; default: every datasource"},
	{"variables", "PATTERN", "only these; * is any run; default *"},
	{"deny", NULL, "refuse instead; this wins over any allowance"},
	CTL_OPTIONS_END,
};

static const struct ctl_option clear_options[] = {
	{"datasource", "UUID", "only the rules of this datasource"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_policy_commands[] = {
	{"policy", "grant", "user|client NAME ACTION[,ACTION]", 3, 3,
		"let somebody do something: ReadAll, WriteVariables, …",
		grant_options, stmts, grant},
	{"policy", "clear", "user|client NAME", 2, 2,
		"remove the rules of somebody", clear_options, stmts, clear},
	CTL_COMMANDS_END,
};
