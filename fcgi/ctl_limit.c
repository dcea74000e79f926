/* ctl_limit: the limits of a plant, as a file and back. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/file.h"
#include "model/alarm_limit_csv.h"
#include "model/alarm_limit_find.h"
#include "model/alarm_limit_list.h"
#include "model/alarm_limit_store.h"
#include "model/audit.h"
#include "model/datasource.h"

static const struct stmt *const stmts[] = {alarm_limit_find_stmts,
	alarm_limit_store_stmts, audit_stmts, datasource_stmts, variable_stmts,
	NULL};

static enum rc
find_limits(struct ctl *ctl, struct alarm_limit_rows *rows)
{
	int64_t datasource_id;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc == RC_OK)
		rc = alarm_limit_query(ctl->db, ctl->arena, datasource_id,
			ALARM_BY_DEFAULT, rows, &ctl->fault);
	return rc;
}

static enum rc
list(struct ctl *ctl)
{
	struct alarm_limit_rows rows = {0, NULL};
	enum rc rc = find_limits(ctl, &rows);

	for (size_t i = 0; rc == RC_OK && i < rows.count; i++) {
		const struct alarm_limit *limit = &rows.items[i].limit;

		printf("%s\t%s\t%s\t%s\t%s\n", limit->variable, limit->name,
			alarm_condition_name(limit->condition),
			limit->origin == ALARM_ORIGIN_AGENT ? "by an agent"
							    : "here",
			limit->enabled ? "" : "disabled");
	}
	return rc;
}

static enum rc
export_limits(struct ctl *ctl)
{
	struct alarm_limit_rows rows = {0, NULL};
	struct alarm_limit *limits;
	struct buf out;
	size_t count = 0;
	enum rc rc = find_limits(ctl, &rows);

	if (rc != RC_OK)
		return rc;
	limits = arena_array(ctl->arena, rows.count + 1, sizeof(*limits));
	for (size_t i = 0; i < rows.count; i++)
		if (rows.items[i].limit.origin == ALARM_ORIGIN_HUB)
			limits[count++] = rows.items[i].limit;
	buf_init(&out, 0);
	alarm_limit_csv_write(&out, limits, count);
	fwrite(out.data, 1, out.length, stdout);
	buf_free(&out);
	return RC_OK;
}

/* --- import ----------------------------------------------------------------
 */

static enum rc
read_limits(
	struct ctl *ctl, int64_t datasource_id, struct alarm_limit_list *limits)
{
	static const char *const all[] = {"*"};
	struct alarm_limit_names names;
	struct variable_list variables;
	size_t length = 0;
	char *text;
	enum rc rc = variable_query(ctl->db, ctl->arena, datasource_id, all, 1,
		&variables, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	names = alarm_limit_names(ctl->arena, &variables);
	rc = file_read(ctl->arena, ctl->arguments[1], ALARM_LIMIT_LIST_BYTES,
		&text, &length, &ctl->fault);
	if (rc == RC_OK)
		rc = alarm_limit_list_read_csv(
			ctl->arena, text, length, &names, limits, &ctl->fault);
	return rc;
}

static enum rc
store(struct ctl *ctl, int64_t datasource_id,
	const struct alarm_limit_list *limits, struct alarm_limit_count *counts)
{
	enum rc rc = alarm_limit_put(ctl->db, ctl->arena, datasource_id,
		limits->items, limits->count,
		ctl_option(ctl, "replace") != NULL ? ALARM_LIMIT_REPLACE
						   : ALARM_LIMIT_MERGE,
		counts, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_audit(ctl, "limit.import",
			arena_printf(
				ctl->arena, "datasource:%s", ctl->arguments[0]),
			NULL,
			audit_values(
				ctl->arena, "file", ctl->arguments[1], NULL));
	return rc;
}

static enum rc
import_limits(struct ctl *ctl)
{
	struct alarm_limit_list limits = {0, NULL};
	struct alarm_limit_count counts = {0};
	int64_t datasource_id;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc == RC_OK)
		rc = read_limits(ctl, datasource_id, &limits);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, store(ctl, datasource_id, &limits, &counts));
	if (rc == RC_OK)
		printf("%lld limits added, %lld changed, %lld removed.\n",
			(long long)counts.added, (long long)counts.changed,
			(long long)counts.removed);
	return rc;
}

static const struct ctl_option import_options[] = {
	{"replace", NULL, "remove other limits that were engineered here"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_limit_commands[] = {
	{"limit", "list", "DATASOURCE", 1, 1, "every limit of a plant", NULL,
		stmts, list},
	{"limit", "export", "DATASOURCE", 1, 1,
		"the limits engineered here as CSV, to standard output", NULL,
		stmts, export_limits},
	{"limit", "import", "DATASOURCE FILE", 2, 2,
		"make and change limits by a CSV file, all or none",
		import_options, stmts, import_limits},
	CTL_COMMANDS_END,
};
