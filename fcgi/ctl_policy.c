/* ctl_policy: who may do what. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "fcgi/policy_json.h"
#include "model/audit.h"
#include "model/datasource.h"
#include "model/policy_rule.h"

#define PAGE_ROWS 500

static const struct stmt *const stmts[] = {policy_stmts, policy_rule_stmts,
	policy_subject_stmts, datasource_stmts, audit_stmts, NULL};

static enum rc
find_subject(struct ctl *ctl, struct policy_subject *subject)
{
	return policy_subject_find(ctl->db, ctl->arena, ctl->arguments[0],
		ctl->arguments[1], subject, &ctl->fault);
}

/* --datasource; without it every one. */
static enum rc
find_datasource(struct ctl *ctl, int64_t *id)
{
	const char *wanted = ctl_option(ctl, "datasource");

	*id = 0;
	return wanted != NULL ? ctl_find_datasource(ctl, wanted, id) : RC_OK;
}

/* --- grant, clear, remove ----------------------------------------------- */

/* --variable, as often as it is given, else the pattern of --variables. */
static void
read_object(struct ctl *ctl, struct policy_rule *rule)
{
	const char **names = ctl_options(ctl, "variable");

	if (names[0] != NULL)
		rule->names = names;
	else
		rule->pattern = ctl_option_or(ctl, "variables", "*");
}

static enum rc
read_rule(struct ctl *ctl, struct policy_rule *rule)
{
	enum rc rc = policy_actions_parse(
		ctl->arguments[2], &rule->actions, &ctl->fault);

	read_object(ctl, rule);
	rule->deny = ctl_option(ctl, "deny") != NULL;
	rule->description = ctl_option_or(ctl, "description", "");
	if (rc == RC_OK)
		rc = find_subject(ctl, &rule->subject);
	if (rc == RC_OK)
		rc = find_datasource(ctl, &rule->datasource_id);
	return rc;
}

static enum rc
store_rule(struct ctl *ctl, struct policy_rule *rule)
{
	const char *id = NULL;
	enum rc rc =
		policy_rule_create(ctl->db, ctl->arena, rule, &id, &ctl->fault);

	if (rc == RC_OK)
		rc = policy_rule_find(
			ctl->db, ctl->arena, id, rule, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	return ctl_audit(ctl, "rule.create",
		arena_printf(ctl->arena, "rule:%s", id), NULL,
		policy_rule_text(ctl->arena, rule));
}

static enum rc
grant(struct ctl *ctl)
{
	struct policy_rule rule = {.pattern = NULL};
	enum rc rc = read_rule(ctl, &rule);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, store_rule(ctl, &rule));
	if (rc == RC_OK)
		printf("%s %s may %s%s.\n", rule.subject.kind,
			rule.subject.name, rule.deny ? "not " : "",
			ctl->arguments[2]);
	return rc;
}

static enum rc
clear_rules(struct ctl *ctl, const struct policy_subject *subject,
	int64_t datasource_id)
{
	int64_t removed = 0;
	enum rc rc = policy_rule_clear(
		ctl->db, subject, datasource_id, &removed, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	return ctl_audit(ctl, "rule.clear",
		arena_printf(ctl->arena, "%s:%s", subject->kind, subject->name),
		arena_printf(
			ctl->arena, "{\"rules\":%lld}", (long long)removed),
		NULL);
}

static enum rc
clear(struct ctl *ctl)
{
	struct policy_subject subject;
	int64_t datasource_id;
	enum rc rc = find_subject(ctl, &subject);

	if (rc == RC_OK)
		rc = find_datasource(ctl, &datasource_id);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, clear_rules(ctl, &subject, datasource_id));
	if (rc == RC_OK)
		printf("The rules of %s %s are gone.\n", subject.kind,
			subject.name);
	return rc;
}

static enum rc
remove_rule(struct ctl *ctl)
{
	const char *id = ctl->arguments[0];
	struct policy_rule rule;
	enum rc rc =
		policy_rule_find(ctl->db, ctl->arena, id, &rule, &ctl->fault);

	if (rc == RC_OK)
		rc = policy_rule_delete(ctl->db, ctl->arena, id, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	return ctl_audit(ctl, "rule.delete",
		arena_printf(ctl->arena, "rule:%s", rule.id),
		policy_rule_text(ctl->arena, &rule), NULL);
}

static enum rc
remove_one(struct ctl *ctl)
{
	enum rc rc = ctl_begin(ctl);

	if (rc == RC_OK)
		rc = ctl_end(ctl, remove_rule(ctl));
	if (rc == RC_OK)
		printf("The rule is gone.\n");
	return rc;
}

/* --- list --------------------------------------------------------------- */

static void
print_rule(struct ctl *ctl, const struct policy_rule *rule)
{
	const char **rights = policy_action_names(ctl->arena, rule->actions);

	printf("%s\t%s %s\t%s\t", rule->id, rule->subject.kind,
		rule->subject.name, rule->deny ? "deny" : "allow");
	for (size_t i = 0; rights[i] != NULL; i++)
		printf("%s%s", i > 0 ? "," : "", rights[i]);
	printf("\t%s\t", rule->datasource != NULL ? rule->datasource : "*");
	if (rule->names == NULL)
		printf("%s", rule->pattern);
	for (size_t i = 0; rule->names != NULL && rule->names[i] != NULL; i++)
		printf("%s%s", i > 0 ? "," : "", rule->names[i]);
	printf("\t%s\n", rule->description);
}

static enum rc
list(struct ctl *ctl)
{
	const struct policy_rule_filter filter = {
		.subject_kind = ctl_option(ctl, "kind"),
		.subject = ctl_option(ctl, "subject"),
	};
	struct slice slice = {
		.sort = "subject", .limit = PAGE_ROWS, .more = true};
	struct policy_rule_list rules;
	enum rc rc = RC_OK;

	while (rc == RC_OK && slice.more) {
		rc = policy_rule_slice(ctl->db, ctl->arena, &filter, &slice,
			&rules, &ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < rules.count; i++)
			print_rule(ctl, &rules.items[i]);
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

/* --- the table ------------------------------------------------------------ */

#define SUBJECT "everyone|user|group|role|client|node NAME"

static const struct ctl_option grant_options[] = {
	{"datasource", "NAME",
		"only there, by name or UUID; default: every one"},
	{"variables", "PATTERN", "only these; * is any run, ? any letter"},
	{"variable", "NAME", "exactly this one; may be given more than once"},
	{"deny", NULL, "refuse instead; this wins over any allowance"},
	{"description", "TEXT", "why"},
	CTL_OPTIONS_END,
};

static const struct ctl_option clear_options[] = {
	{"datasource", "NAME", "only the rules of this datasource"},
	CTL_OPTIONS_END,
};

static const struct ctl_option list_options[] = {
	{"kind", "KIND", "only of everyone, user, group, role, client or node"},
	{"subject", "NAME", "only of this subject"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_policy_commands[] = {
	{"policy", "grant", SUBJECT " RIGHT[,RIGHT]", 3, 3,
		"let somebody do something: ReadAll, WriteVariables, …",
		grant_options, stmts, grant},
	{"policy", "clear", SUBJECT, 2, 2, "remove the rules of somebody",
		clear_options, stmts, clear},
	{"policy", "remove", "ID", 1, 1, "remove one rule", NULL, stmts,
		remove_one},
	{"policy", "list", "", 0, 0, "every rule", list_options, stmts, list},
	CTL_COMMANDS_END,
};
