/* ctl_archive: which variables are recorded together, and how. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "model/archive.h"
#include "model/audit.h"
#include "model/datasource.h"

static const struct stmt *const stmts[] = {
	archive_stmts, audit_stmts, datasource_stmts, variable_stmts, NULL};

static enum rc
read_calculation(struct ctl *ctl, struct archive_draft *draft)
{
	const char *name = ctl_option(ctl, "calculation");

	if (name == NULL)
		return RC_OK;
	draft->calculation = archive_calculation_parse(name);
	if (draft->calculation == ARCHIVE_NOT_AGGREGATED)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--calculation is sum, average, minimum or maximum");
	return RC_OK;
}

static enum rc
read_draft(struct ctl *ctl, struct archive_draft *draft)
{
	const char **patterns = ctl_options(ctl, "variables");
	const char *rule = ctl_option_or(ctl, "rule", "spontaneous");
	enum rc rc = ctl_find_datasource(
		ctl, ctl->arguments[0], &draft->datasource_id);

	if (rc != RC_OK)
		return rc;
	draft->identification = ctl->arguments[1];
	draft->name = ctl->arguments[2];
	draft->parent = ctl_option(ctl, "parent");
	draft->patterns = patterns;
	while (patterns[draft->patterns_count] != NULL)
		draft->patterns_count++;
	if (!archive_rule_parse(rule, &draft->rule))
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--rule is spontaneous or cyclic");
	rc = read_calculation(ctl, draft);
	if (rc == RC_OK)
		rc = ctl_option_int(
			ctl, "cycle", 1, ARCHIVE_CYCLE_MAX_S, &draft->cycle_s);
	return rc;
}

static enum rc
create(struct ctl *ctl, const struct archive_draft *draft, size_t *variables)
{
	enum rc rc = archive_create(
		ctl->db, ctl->arena, draft, variables, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	return ctl_audit(ctl, "archive.create",
		arena_printf(ctl->arena, "archive:%s/%s", ctl->arguments[0],
			draft->identification),
		NULL,
		audit_values(ctl->arena, "name", draft->name, "parent",
			draft->parent, NULL));
}

static enum rc
archive_add(struct ctl *ctl)
{
	struct archive_draft draft = {0};
	size_t variables;
	enum rc rc = read_draft(ctl, &draft);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, create(ctl, &draft, &variables));
	if (rc == RC_OK)
		printf("Archive %s has %zu variables.\n", draft.identification,
			variables);
	return rc;
}

static void
print_tree(const struct archive *archive, int depth)
{
	for (; archive != NULL; archive = archive->next) {
		bool aggregated =
			archive->calculation != ARCHIVE_NOT_AGGREGATED;

		printf("%*s%s\t%s\t%s", 2 * depth, "", archive->identification,
			archive->name,
			aggregated
				? archive_calculation_name(archive->calculation)
				: archive_rule_name(archive->rule));
		if (archive->cycle_s != 0)
			printf(" every %lld s", (long long)archive->cycle_s);
		printf("\t%zu variables\n", archive->variables.count);
		print_tree(archive->child, depth + 1);
	}
}

static enum rc
archive_list(struct ctl *ctl)
{
	const struct archive *first = NULL;
	int64_t datasource_id;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc == RC_OK)
		rc = archive_query(ctl->db, ctl->arena, datasource_id, &first,
			&ctl->fault);
	if (rc == RC_OK)
		print_tree(first, 0);
	return rc;
}

static const struct ctl_option add_options[] = {
	{"variables", "PATTERN",
		"names with * and ?; may be repeated; default with --parent: "
		"all numeric ones of the parent"},
	{"rule", "RULE", "spontaneous (default) or cyclic"},
	{"parent", "IDENTIFICATION", "the archive whose values are aggregated"},
	{"calculation", "HOW", "sum, average, minimum or maximum"},
	{"cycle", "SECONDS", "of a cyclic or aggregated archive"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_archive_commands[] = {
	{"archive", "add", "DATASOURCE IDENTIFICATION NAME", 3, 3,
		"name variables that are recorded together", add_options, stmts,
		archive_add},
	{"archive", "list", "DATASOURCE", 1, 1,
		"the archives of a plant as a tree", NULL, stmts, archive_list},
	CTL_COMMANDS_END,
};
