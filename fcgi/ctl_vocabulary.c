/* ctl_vocabulary: classes, groups, areas and causes of a plant's alarms, as a
 * file and back. */

#include <json-c/json.h>
#include <stdio.h>

#include "fcgi/ctl.h"
#include "lib/field.h"
#include "lib/file.h"
#include "model/alarm_vocabulary.h"
#include "model/audit.h"
#include "model/datasource.h"

static const struct stmt *const stmts[] = {alarm_category_stmts,
	alarm_cause_stmts, alarm_vocabulary_stmts, audit_stmts,
	datasource_stmts, NULL};

static enum rc
export_words(struct ctl *ctl)
{
	struct jsonw *json = jsonw_in(ctl->arena);
	struct json_object *document = NULL;
	int64_t datasource_id;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc == RC_OK)
		rc = alarm_vocabulary_write(
			ctl->db, ctl->arena, datasource_id, json, &ctl->fault);
	if (rc == RC_OK)
		rc = json_parse(ctl->arena, json->out->data, json->out->length,
			&document, &ctl->fault);
	if (rc == RC_OK)
		puts(json_object_to_json_string_ext(
			document, JSON_C_TO_STRING_PRETTY |
					  JSON_C_TO_STRING_NOSLASHESCAPE));
	return rc;
}

static enum rc
read_words(struct ctl *ctl, struct alarm_vocabulary *vocabulary)
{
	struct json_object *document;
	size_t length = 0;
	char *text;
	enum rc rc = file_read(ctl->arena, ctl->arguments[1],
		ALARM_VOCABULARY_BYTES, &text, &length, &ctl->fault);

	if (rc == RC_OK)
		rc = json_parse(
			ctl->arena, text, length, &document, &ctl->fault);
	if (rc == RC_OK)
		rc = alarm_vocabulary_read(
			ctl->arena, document, vocabulary, &ctl->fault);
	return rc;
}

static enum rc
store(struct ctl *ctl, int64_t datasource_id,
	const struct alarm_vocabulary *vocabulary,
	struct alarm_limit_count *counts)
{
	enum rc rc = alarm_vocabulary_put(ctl->db, ctl->arena, datasource_id,
		vocabulary,
		ctl_option(ctl, "replace") != NULL ? ALARM_LIMIT_REPLACE
						   : ALARM_LIMIT_MERGE,
		counts, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_audit(ctl, "alarm_vocabulary.import",
			arena_printf(
				ctl->arena, "datasource:%s", ctl->arguments[0]),
			NULL,
			audit_values(
				ctl->arena, "file", ctl->arguments[1], NULL));
	return rc;
}

static enum rc
import_words(struct ctl *ctl)
{
	struct alarm_vocabulary vocabulary;
	struct alarm_limit_count counts = {0};
	int64_t datasource_id;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc == RC_OK)
		rc = read_words(ctl, &vocabulary);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(
			ctl, store(ctl, datasource_id, &vocabulary, &counts));
	if (rc == RC_OK)
		printf("%lld names and causes added, %lld changed, %lld "
		       "removed.\n",
			(long long)counts.added, (long long)counts.changed,
			(long long)counts.removed);
	return rc;
}

static const struct ctl_option import_options[] = {
	{"replace", NULL,
		"forget other names, and mark other causes as removed"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_vocabulary_commands[] = {
	{"vocabulary", "export", "DATASOURCE", 1, 1,
		"alarm classes, groups, areas and causes as JSON, to standard "
		"output",
		NULL, stmts, export_words},
	{"vocabulary", "import", "DATASOURCE FILE", 2, 2,
		"make and change them by such a file, all or none",
		import_options, stmts, import_words},
	CTL_COMMANDS_END,
};
