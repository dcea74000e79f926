/* ctl_policy_ask: may somebody, and why? */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "model/datasource.h"
#include "model/policy_explain.h"

static const struct stmt *const stmts[] = {policy_stmts, policy_explain_stmts,
	policy_subject_stmts, datasource_stmts, variable_stmts, NULL};

/* Arguments: kind, name, right, datasource. */
static enum rc
read_question(struct ctl *ctl, struct policy_question *question)
{
	const char *right = ctl->arguments[2];
	uint32_t actions = 0;
	enum rc rc = policy_actions_parse(right, &actions, &ctl->fault);

	if (rc == RC_OK && (actions & (actions - 1)) != 0)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"ask about one right; %s is several", right);
	question->action = (enum policy_action)actions;
	question->scopes = ctl_option(ctl, "scopes");
	if (rc == RC_OK)
		rc = policy_subject_find(ctl->db, ctl->arena, ctl->arguments[0],
			ctl->arguments[1], &question->subject, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_find_datasource(
			ctl, ctl->arguments[3], &question->datasource_id);
	return rc;
}

/* --- check ---------------------------------------------------------------- */

static enum rc
check_one(struct ctl *ctl, const struct policy_question *question,
	const struct policy *policy, const char *name)
{
	struct variable variable;
	enum rc rc = variable_find(ctl->db, ctl->arena, question->datasource_id,
		name, &variable, &ctl->fault);

	if (rc == RC_NOT_FOUND) {
		printf("%s\tno variable\n", name);
		return RC_OK;
	}
	if (rc == RC_OK)
		printf("%s\t%s\n", name,
			policy_may(policy, &variable, question->action)
				? "allowed"
				: "refused");
	return rc;
}

static enum rc
check(struct ctl *ctl)
{
	struct policy_question question = {.variable = NULL};
	const struct policy *policy = NULL;
	enum rc rc = read_question(ctl, &question);

	if (rc == RC_OK)
		rc = policy_load_subject(ctl->db, ctl->arena, &question.subject,
			question.scopes, &policy, &ctl->fault);
	for (int i = 4; rc == RC_OK && i < ctl->argument_count; i++)
		rc = check_one(ctl, &question, policy, ctl->arguments[i]);
	return rc;
}

/* --- explain -------------------------------------------------------------- */

static void
print_reason(struct ctl *ctl, const struct policy_reason *reason)
{
	const char **rights = policy_action_names(ctl->arena, reason->actions);

	printf("  %s by rule %s of %s %s: ",
		reason->deny ? "denied" : "allowed", reason->rule, reason->kind,
		reason->name);
	for (size_t i = 0; rights[i] != NULL; i++)
		printf("%s%s", i > 0 ? "," : "", rights[i]);
	printf(" on %s %s, datasource %s", reason->literal ? "name" : "pattern",
		reason->object,
		reason->datasource != NULL ? reason->datasource : "*");
	if (reason->holder != NULL)
		printf("; the role is held by %s %s", reason->holder_kind,
			reason->holder);
	printf("\n");
}

static void
print_answer(struct ctl *ctl, const struct policy_question *question,
	const struct policy_answer *answer)
{
	printf("%s: %s %s %s %s. %s\n", policy_because_name(answer->because),
		question->subject.kind, question->subject.name,
		answer->allowed ? "may" : "may not",
		policy_action_name(question->action),
		policy_because_words(answer->because));
	for (size_t i = 0; i < answer->count; i++)
		print_reason(ctl, &answer->reasons[i]);
	if (question->variable != NULL)
		printf("  access of the variable: %s\n",
			variable_access_name(question->variable->access));
	if (question->scopes != NULL)
		printf("  scopes: %s\n",
			answer->scope_covers ? "cover it" : "do not cover it");
}

static enum rc
explain(struct ctl *ctl)
{
	struct policy_question question = {.variable = NULL};
	struct policy_answer answer;
	struct variable variable;
	enum rc rc = read_question(ctl, &question);

	if (rc != RC_OK)
		return rc;
	rc = variable_find(ctl->db, ctl->arena, question.datasource_id,
		ctl->arguments[4], &variable, &ctl->fault);
	if (rc == RC_OK)
		question.variable = &variable;
	if (rc == RC_OK || rc == RC_NOT_FOUND)
		rc = policy_explain(
			ctl->db, ctl->arena, &question, &answer, &ctl->fault);
	if (rc == RC_OK)
		print_answer(ctl, &question, &answer);
	return rc;
}

/* --- the table ------------------------------------------------------------ */

#define QUESTION "everyone|user|group|client|node NAME RIGHT DATASOURCE"

static const struct ctl_option options[] = {
	{"scopes", "SCOPES",
		"as with a token of these, apart by spaces; default: a session "
		"of the pages"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_policy_ask_commands[] = {
	{"policy", "check", QUESTION " VARIABLE...", 5, CTL_ARGUMENTS_MAX,
		"may somebody do something to these variables?", options, stmts,
		check},
	{"policy", "explain", QUESTION " VARIABLE", 5, 5,
		"why somebody may or may not, with every rule that speaks of "
		"it",
		options, stmts, explain},
	CTL_COMMANDS_END,
};
