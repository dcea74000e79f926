/* ctl_command: what was to be written, and what must be selected first. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "model/audit.h"
#include "model/command_read.h"
#include "model/datasource.h"
#include "model/selection.h"
#include "model/variable.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     10000

static const struct stmt *const stmts[] = {audit_stmts, command_stmts,
	command_read_stmts, datasource_stmts, selection_stmts, variable_stmts,
	NULL};

/* Who may use this command may see every variable. */
static enum rc
choose(struct ctl *ctl, struct command_filter *filter)
{
	const char *pattern = ctl_option_or(ctl, "variable", "*");
	struct variable_list found;
	int32_t *ids;
	enum rc rc = variable_query(ctl->db, ctl->arena, filter->datasource_id,
		&pattern, 1, &found, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	ids = arena_array(ctl->arena, found.count, sizeof(*ids));
	for (size_t i = 0; i < found.count; i++)
		ids[i] = found.items[i].id;
	filter->readable = ids;
	filter->readable_count = found.count;
	return RC_OK;
}

static void
print_command(const struct command *command)
{
	char created[CLOCK_TEXT_BYTES];
	char id[UUID_TEXT_BYTES];

	clock_format(created, command->created_us);
	uuid_format(id, command->id);
	printf("%s\t%s\t%s\t%s\t%s%s%s\t%s\t%s\n", created, command->variable,
		command->value, command->actor, command->state,
		command->code[0] != '\0' ? " " : "", command->code,
		command->comment, id);
}

static enum rc
command_list(struct ctl *ctl)
{
	struct command_filter filter = {.state = ctl_option(ctl, "state"),
		.username = ctl_option(ctl, "username"),
		.from_us = CLOCK_NEVER,
		.to_us = CLOCK_NEVER};
	struct slice slice = {
		.sort = "created", .descending = true, .limit = LIMIT_DEFAULT};
	struct command_list list = {0, NULL};
	enum rc rc = ctl_find_datasource(
		ctl, ctl->arguments[0], &filter.datasource_id);

	if (rc == RC_OK)
		rc = ctl_option_int(ctl, "limit", 1, LIMIT_MAX, &slice.limit);
	if (rc == RC_OK)
		rc = choose(ctl, &filter);
	if (rc == RC_OK)
		rc = command_slice(ctl->db, ctl->arena, &filter, &slice, &list,
			&ctl->fault);
	for (size_t i = 0; rc == RC_OK && i < list.count; i++)
		print_command(&list.items[i]);
	return rc;
}

static enum rc
require(struct ctl *ctl, int64_t datasource_id, bool required)
{
	struct variable variable;
	enum rc rc = variable_find(ctl->db, ctl->arena, datasource_id,
		ctl->arguments[1], &variable, &ctl->fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(&ctl->fault, rc, "there is no variable %s",
			ctl->arguments[1]);
	if (rc == RC_OK)
		rc = selection_require(
			ctl->db, variable.id, required, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	return ctl_audit(ctl, "selection.require",
		arena_printf(ctl->arena, "variable:%s/%s", ctl->arguments[0],
			ctl->arguments[1]),
		NULL,
		audit_values(ctl->arena, "required",
			required ? "true" : "false", NULL));
}

static enum rc
command_select(struct ctl *ctl)
{
	bool required = strcmp(ctl->arguments[2], "required") == 0;
	int64_t datasource_id;
	enum rc rc;

	if (!required && strcmp(ctl->arguments[2], "optional") != 0)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"%s: required or optional", ctl->arguments[2]);
	rc = ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, require(ctl, datasource_id, required));
	if (rc == RC_OK)
		printf("Selecting %s before it is written is %s.\n",
			ctl->arguments[1], ctl->arguments[2]);
	return rc;
}

static const struct ctl_option list_options[] = {
	{"variable", "PATTERN", "of * and ?; default all"},
	{"state", "STATE", "sent, confirmed, failed, refused or expired"},
	{"username", "NAME", "who gave it"},
	{"limit", "N", "default 50"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_command_commands[] = {
	{"command", "list", "DATASOURCE", 1, 1,
		"set values, the latest first: time, variable, value, who, "
		"state, comment, id",
		list_options, stmts, command_list},
	{"command", "select", "DATASOURCE VARIABLE required|optional", 3, 3,
		"whether a variable must be selected before it is written",
		NULL, stmts, command_select},
	CTL_COMMANDS_END,
};
