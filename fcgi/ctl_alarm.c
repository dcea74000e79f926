/* ctl_alarm: the Alarm Message List: look at it, import histories into it. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "lib/csv.h"
#include "model/alarm.h"
#include "model/alarm_import.h"
#include "model/audit.h"
#include "model/datasource.h"

#define ROWS_MAX 2000000

static const struct stmt *const stmts[] = {alarm_stmts, alarm_import_stmts,
	audit_stmts, datasource_stmts, variable_stmts, NULL};

/* --- list ------------------------------------------------------------------
 */

static void
print_alarm(const struct alarm *alarm, int64_t now_us)
{
	char id[UUID_TEXT_BYTES];
	char came[CLOCK_TEXT_BYTES];
	char went[CLOCK_TEXT_BYTES] = "-";

	uuid_format(id, alarm->id);
	clock_format(came, alarm->came_us);
	if (alarm->facts.went_us != CLOCK_NEVER)
		clock_format(went, alarm->facts.went_us);
	printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", came, went,
		alarm_state_name(alarm_state(&alarm->facts, now_us)),
		alarm->variable, alarm->limit, alarm->text, id);
}

static enum rc
list(struct ctl *ctl)
{
	struct alarm_filter filter = {
		.to_us = INT64_MAX,
		.now_us = clock_now_us(),
		.active = ctl_option(ctl, "active") != NULL,
		.unacknowledged = ctl_option(ctl, "unacknowledged") != NULL,
		.descending = true,
		.limit = 100,
	};
	struct alarm_page page = {.next = NULL};
	enum rc rc = ctl_find_datasource(
		ctl, ctl->arguments[0], &filter.datasource_id);

	if (rc == RC_OK)
		rc = ctl_option_int(ctl, "limit", 1, 100000, &filter.limit);
	if (rc == RC_OK)
		rc = alarm_query(
			ctl->db, ctl->arena, &filter, &page, &ctl->fault);
	for (size_t i = 0; rc == RC_OK && i < page.list.count; i++)
		print_alarm(&page.list.items[i], filter.now_us);
	return rc;
}

/* --- import ----------------------------------------------------------------
 */

/* A file under way: its columns, and what is made of them. */
struct import {
	struct ctl *ctl;
	struct csv csv;
	const char *columns[CSV_FIELDS_MAX];
	size_t column_count;
	struct alarm_old *items;
	size_t count;
	size_t capacity;
};

static const struct csv_field *
find_cell(const struct import *import, const char *name, size_t length)
{
	for (size_t i = 0; i < import->column_count; i++)
		if (strlen(import->columns[i]) == length &&
			memcmp(import->columns[i], name, length) == 0 &&
			i < import->csv.count)
			return &import->csv.fields[i];
	return NULL;
}

/* Put the cells of the row in the place of {column}. */
static enum rc
expand(struct import *import, const char *option, const char *pattern,
	const char **text)
{
	struct ctl *ctl = import->ctl;

	*text = "";
	while (*pattern != '\0') {
		size_t plain = strcspn(pattern, "{");
		size_t name = 0;
		const struct csv_field *cell;

		*text = arena_printf(
			ctl->arena, "%s%.*s", *text, (int)plain, pattern);
		pattern += plain;
		if (*pattern == '\0')
			break;
		name = strcspn(++pattern, "}");
		cell = find_cell(import, pattern, name);
		if (cell == NULL)
			return fault_set(&ctl->fault, RC_BAD_INPUT,
				"--%s: the file has no column \"%.*s\" in "
				"line %d",
				option, (int)name, pattern,
				import->csv.fields[0].line);
		*text = arena_printf(ctl->arena, "%s%s", *text, cell->text);
		pattern += name + (pattern[name] == '}');
	}
	return RC_OK;
}

/* ISO 8601; without a zone it is UTC, and a space may stand for the T. */
static enum rc
read_time(struct import *import, const char *option, const char *text,
	int64_t *time_us)
{
	struct ctl *ctl = import->ctl;
	char *copy = arena_printf(ctl->arena, "%sZ", text);

	if (strlen(text) > 10 && copy[10] == ' ')
		copy[10] = 'T';
	if (clock_parse(copy, time_us) || clock_parse(text, time_us))
		return RC_OK;
	return fault_set(&ctl->fault, RC_BAD_INPUT,
		"line %d: --%s: \"%.60s\" is not a time",
		import->csv.fields[0].line, option, text);
}

static enum rc
read_times(struct import *import, struct alarm_old *item)
{
	struct ctl *ctl = import->ctl;
	const char *came = NULL;
	const char *went = NULL;
	enum rc rc = expand(
		import, "came", ctl_option_or(ctl, "came", "{came}"), &came);

	if (rc == RC_OK)
		rc = expand(import, "went",
			ctl_option_or(ctl, "went", "{went}"), &went);
	if (rc == RC_OK)
		rc = read_time(import, "came", came, &item->came_us);
	item->went_us = CLOCK_NEVER;
	if (rc == RC_OK && went[0] != '\0' && strcmp(went, "-") != 0)
		rc = read_time(import, "went", went, &item->went_us);
	return rc;
}

static enum rc
read_item(struct import *import, struct alarm_old *item)
{
	struct ctl *ctl = import->ctl;
	const struct {
		const char *option;
		const char *fallback;
		const char **text;
	} parts[] = {
		{"variable", "{variable}", &item->variable},
		{"limit", "{limit}", &item->limit},
		{"text", "{text}", &item->text},
		{"class", "", &item->class_name},
	};
	enum rc rc = read_times(import, item);

	for (size_t i = 0; rc == RC_OK && i < ARRAY_LENGTH(parts); i++)
		rc = expand(import, parts[i].option,
			ctl_option_or(ctl, parts[i].option, parts[i].fallback),
			parts[i].text);
	return rc;
}

static struct alarm_old *
next_item(struct import *import)
{
	struct arena *arena = import->ctl->arena;
	struct alarm_old *items;

	if (import->count == import->capacity) {
		import->capacity = 2 * import->capacity + 1024;
		items = arena_array(arena, import->capacity, sizeof(*items));
		if (import->count > 0)
			memcpy(items, import->items,
				import->count * sizeof(*items));
		import->items = items;
	}
	return &import->items[import->count++];
}

/* A row of the table, its header, or a remark. */
static enum rc
take_row(struct import *import)
{
	struct csv *csv = &import->csv;

	if (csv->fields[0].text[0] == '#')
		return RC_OK;
	if (import->column_count == 0) {
		for (; import->column_count < csv->count;
			import->column_count++)
			import->columns[import->column_count] =
				arena_strdup(import->ctl->arena,
					csv->fields[import->column_count].text);
		return RC_OK;
	}
	if (import->count == ROWS_MAX)
		return fault_set(&import->ctl->fault, RC_TOO_LARGE,
			"more than %d rows; split the file", ROWS_MAX);
	return read_item(import, next_item(import));
}

static enum rc
read_file(struct import *import, FILE *file)
{
	enum rc rc = RC_OK;

	csv_open(&import->csv, file, import->ctl->arguments[1]);
	import->csv.separator = ctl_option_or(import->ctl, "separator", ",")[0];
	while (rc == RC_OK) {
		rc = csv_row(&import->csv, &import->ctl->fault);
		if (rc == RC_OK)
			rc = take_row(import);
	}
	csv_close(&import->csv);
	return rc == RC_NOT_FOUND ? RC_OK : rc; /* the end */
}

static enum rc
store(struct import *import, int64_t datasource_id,
	struct alarm_import_count *counts)
{
	struct ctl *ctl = import->ctl;
	int64_t priority = 3;
	enum rc rc = ctl_option_int(ctl, "priority", 1, 4, &priority);

	if (rc == RC_OK)
		rc = alarm_import(ctl->db, ctl->arena, datasource_id,
			import->items, import->count, priority, counts,
			&ctl->fault);
	if (rc == RC_OK)
		rc = ctl_audit(ctl, "alarm.import",
			arena_printf(
				ctl->arena, "datasource:%s", ctl->arguments[0]),
			NULL,
			audit_values(ctl->arena, "file", ctl->arguments[1],
				"added",
				arena_printf(ctl->arena, "%lld",
					(long long)counts->added),
				NULL));
	return rc;
}

static enum rc
import_file(struct ctl *ctl)
{
	struct import *import = arena_alloc(ctl->arena, sizeof(*import));
	struct alarm_import_count counts = {0};
	int64_t datasource_id;
	FILE *file;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc != RC_OK)
		return rc;
	file = fopen(ctl->arguments[1], "r");
	if (file == NULL)
		return fault_set(&ctl->fault, RC_IO, "%s: %s",
			ctl->arguments[1], strerror(errno));
	import->ctl = ctl;
	rc = read_file(import, file);
	fclose(file);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, store(import, datasource_id, &counts));
	if (rc == RC_OK)
		printf("%lld of %zu alarms were new; %lld variables were "
		       "made.\n",
			(long long)counts.added, import->count,
			(long long)counts.variables);
	return rc;
}

/* --- the table ------------------------------------------------------------ */

static const struct ctl_option list_options[] = {
	{"active", NULL, "only those that have not gone"},
	{"unacknowledged", NULL, "only those that nobody has acknowledged"},
	{"limit", "COUNT", "at most so many; default 100"},
	CTL_OPTIONS_END,
};

static const struct ctl_option import_options[] = {
	{"came", "PATTERN",
		"the time it came; {COLUMN} is the cell of that "
		"name; default {came}"},
	{"went", "PATTERN",
		"the time it went; empty or - = still active; "
		"default {went}"},
	{"variable", "PATTERN",
		"the variable, made when it is not there; "
		"default {variable}"},
	{"limit", "PATTERN", "the name of the limit; default {limit}"},
	{"text", "PATTERN", "what it says; default {text}"},
	{"class", "PATTERN", "number or name of its class; default 0"},
	{"priority", "1..4", "of all of them; default 3"},
	{"separator", "LETTER", "between two cells; default a comma"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_alarm_commands[] = {
	{"alarm", "list", "DATASOURCE", 1, 1, "the latest alarms of a plant",
		list_options, stmts, list},
	{"alarm", "import", "DATASOURCE FILE", 2, 2,
		"alarms of another system, from a CSV file", import_options,
		stmts, import_file},
	CTL_COMMANDS_END,
};
