/* ctl_audit: reading, exporting and verifying the audit. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "model/audit_json.h"
#include "model/audit_read.h"
#include "model/audit_verify.h"

#define PAGE_ROWS     500
#define LIMIT_DEFAULT 50
#define LIMIT_MAX     1000000

static const struct stmt *const read_stmts[] = {audit_read_stmts, NULL};
static const struct stmt *const verify_stmts[] = {
	audit_chain_stmts, audit_checkpoint_stmts, audit_verify_stmts, NULL};

/* --- list and export ---------------------------------------------------- */

static enum rc
read_time(struct ctl *ctl, const char *name, int64_t *time_us)
{
	const char *text = ctl_option(ctl, name);

	if (text == NULL || clock_parse(text, time_us))
		return RC_OK;
	return fault_set(&ctl->fault, RC_BAD_INPUT,
		"--%s %s: must be a time such as 2026-01-31T08:00:00Z", name,
		text);
}

static enum rc
read_filter(struct ctl *ctl, struct audit_filter *filter)
{
	enum rc rc;

	*filter = (struct audit_filter){.actor = ctl_option(ctl, "actor"),
		.action = ctl_option(ctl, "action"),
		.object = ctl_option(ctl, "object"),
		.result = ctl_option(ctl, "result"),
		.address = ctl_option(ctl, "address"),
		.from_us = CLOCK_NEVER,
		.to_us = CLOCK_NEVER};
	rc = read_time(ctl, "from", &filter->from_us);
	return rc == RC_OK ? read_time(ctl, "to", &filter->to_us) : rc;
}

static void
print_item(const struct audit_item *item)
{
	const struct audit_row *row = &item->row;
	char time[CLOCK_TEXT_BYTES];

	clock_format(time, row->at_us);
	printf("%s\t%s:%s\t%s\t%s\t%s\t%s", time, row->actor_kind, row->actor,
		row->address, row->action, row->object, row->result);
	if (row->repeats > 1)
		printf(" x%" PRId64, row->repeats);
	if (row->before != NULL || row->after != NULL)
		printf("\t%s -> %s", row->before ? row->before : "-",
			row->after ? row->after : "-");
	putchar('\n');
}

static void
print_json(const struct audit_item *item)
{
	struct jsonw json;
	struct buf line;

	buf_init(&line, 0);
	jsonw_init(&json, &line);
	audit_json_write(&json, item, AUDIT_JSON_TEXTS);
	puts(line.data);
	buf_free(&line);
}

/* Page by page, so that a long audit needs little memory. */
static enum rc
walk(struct ctl *ctl, struct slice *slice, int64_t limit,
	void (*print)(const struct audit_item *item))
{
	struct audit_filter filter;
	struct arena *arena = arena_new();
	enum rc rc = read_filter(ctl, &filter);

	slice->more = true;
	while (rc == RC_OK && slice->more && limit > 0) {
		struct audit_list list = {0};

		slice->limit = limit < PAGE_ROWS ? limit : PAGE_ROWS;
		rc = audit_slice(
			ctl->db, arena, &filter, slice, &list, &ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			print(&list.items[i]);
		limit -= (int64_t)list.count;
		slice->after = "";
		slice->after_id = slice->next_id;
		arena_reset(arena);
	}
	arena_free(arena);
	return rc;
}

static enum rc
list(struct ctl *ctl)
{
	struct slice slice = {.sort = "time", .descending = true};
	int64_t limit = LIMIT_DEFAULT;
	enum rc rc = ctl_option_int(ctl, "limit", 1, LIMIT_MAX, &limit);

	return rc == RC_OK ? walk(ctl, &slice, limit, print_item) : rc;
}

static enum rc export(struct ctl *ctl) {
	struct slice slice = {.sort = "time"};

	return walk(ctl, &slice, INT64_MAX, print_json);
}

/* --- verify ------------------------------------------------------------- */

static enum rc
read_keys(struct ctl *ctl, struct audit_verifiers *verifiers)
{
	const char *path = ctl_option(ctl, "public-key");

	if (path == NULL)
		path = arena_printf(ctl->arena, "%s.pub", ctl->conf.audit_key);
	return audit_verifiers_load(ctl->arena, path, verifiers, &ctl->fault);
}

static void
print_report(const struct audit_report *report, bool copies)
{
	int64_t shown = report->findings < AUDIT_FINDINGS_MAX
				? report->findings
				: AUDIT_FINDINGS_MAX;

	for (int64_t i = 0; i < shown; i++)
		puts(report->texts[i]);
	printf("%" PRId64 " rows, the chain ends at position %" PRId64
	       ", %" PRId64 " checkpoints in the database fit",
		report->rows, report->position, report->checkpoints);
	if (copies)
		printf(", %" PRId64 " in the file", report->copies);
	printf(": %" PRId64 " findings.\n", report->findings);
	if (!copies)
		puts("A cut-off end is found only with --checkpoints FILE, a "
		     "copy kept on another machine.");
}

static enum rc
verify(struct ctl *ctl)
{
	const char *path = ctl_option(ctl, "checkpoints");
	struct audit_verifiers verifiers;
	struct audit_checkpoint_list copies = {0};
	struct audit_verify what = {.verifiers = &verifiers};
	struct audit_report report;
	enum rc rc = read_keys(ctl, &verifiers);

	if (rc == RC_OK && path != NULL) {
		what.copies = &copies;
		rc = audit_checkpoint_load(
			ctl->arena, path, &copies, &ctl->fault);
	}
	if (rc == RC_OK)
		rc = audit_verify(
			ctl->db, ctl->arena, &what, &report, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	print_report(&report, path != NULL);
	return report.findings == 0
		       ? RC_OK
		       : fault_set(&ctl->fault, RC_CONFLICT,
				 "the audit is not as it was written");
}

/* --- the commands ------------------------------------------------------- */

#define FILTER_OPTIONS                                                         \
	{"actor", "NAME", "who; a * at the end is any rest"},                  \
		{"action", "ACTION", "such as login.refused or \"node.*\""},   \
		{"object", "OBJECT", "such as user:alice or \"node:*\""},      \
		{"result", "RESULT", "ok, refused or failed"},                 \
		{"address", "ADDRESS", "from where; a * at the end is any"},   \
		{"from", "TIME", "that time and later"},                       \
	{                                                                      \
		"to", "TIME", "before that time"                               \
	}

static const struct ctl_option list_options[] = {
	FILTER_OPTIONS,
	{"limit", "N", "rows, the newest first; default 50"},
	CTL_OPTIONS_END,
};

static const struct ctl_option export_options[] = {
	FILTER_OPTIONS,
	CTL_OPTIONS_END,
};

static const struct ctl_option verify_options[] = {
	{"checkpoints", "FILE",
		"signed checkpoints kept elsewhere: a file of the keeper or a "
		"syslog"},
	{"public-key", "FILE",
		"keys that sign them; default: that of the configuration"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_audit_commands[] = {
	{"audit", "list", "", 0, 0, "who did what, the newest first",
		list_options, read_stmts, list},
	{"audit", "export", "", 0, 0,
		"all of it, oldest first, as one JSON object a line",
		export_options, read_stmts, export},
	{"audit", "verify", "", 0, 0,
		"find rows that were edited, removed, moved, added or cut off",
		verify_options, verify_stmts, verify},
	CTL_COMMANDS_END,
};
