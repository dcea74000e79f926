/* ctl_screen: process pictures of a datasource. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "model/audit.h"
#include "model/datasource.h"
#include "model/screen.h"

static const struct stmt *const stmts[] = {
	audit_stmts, datasource_stmts, screen_stmts, NULL};

static enum rc
read_file(struct ctl *ctl, const char *path, char **text, size_t *length)
{
	FILE *file = fopen(path, "r");
	bool failed;

	if (file == NULL)
		return fault_set(
			&ctl->fault, RC_IO, "%s: %s", path, strerror(errno));
	*text = arena_alloc(ctl->arena, SCREEN_BYTES_MAX + 1);
	*length = fread(*text, 1, SCREEN_BYTES_MAX + 1, file);
	failed = ferror(file) != 0;
	fclose(file);
	if (failed)
		return fault_set(
			&ctl->fault, RC_IO, "%s: cannot be read", path);
	return RC_OK;
}

static void
free_buf(void *buf)
{
	buf_free(buf);
}

static enum rc
read_screen(struct ctl *ctl, const char *path, struct screen *screen)
{
	struct buf *out = arena_alloc(ctl->arena, sizeof(*out));
	struct fault why;
	size_t dropped = 0;
	size_t length = 0;
	char *text = NULL;
	enum rc rc = read_file(ctl, path, &text, &length);

	if (rc != RC_OK)
		return rc;
	buf_init(out, 2 * SCREEN_BYTES_MAX);
	arena_defer(ctl->arena, free_buf, out);
	rc = screen_clean(text, length, out, &dropped, &why);
	if (rc != RC_OK)
		return fault_set(&ctl->fault, rc, "%s:%s", path, why.text);
	if (dropped > 0)
		fprintf(stderr,
			"%s: %zu things left out that only an editor needs\n",
			path, dropped);
	screen->svg = out->data;
	return RC_OK;
}

static enum rc
audit(struct ctl *ctl, const char *action, const char *after)
{
	return ctl_audit(ctl, action,
		arena_printf(ctl->arena, "screen:%s/%s", ctl->arguments[0],
			ctl->arguments[1]),
		NULL, after);
}

static enum rc
store(struct ctl *ctl, const struct screen *screen)
{
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = screen_put(ctl->db, screen, &ctl->fault);
	if (rc == RC_OK)
		rc = audit(ctl, "screen.store",
			audit_values(ctl->arena, "title", screen->title, NULL));
	return ctl_end(ctl, rc);
}

static enum rc
import(struct ctl *ctl)
{
	struct screen screen = {.name = ctl->arguments[1]};
	enum rc rc = ctl_find_datasource(
		ctl, ctl->arguments[0], &screen.datasource_id);

	screen.title = ctl_option_or(ctl, "title", screen.name);
	if (rc == RC_OK)
		rc = read_screen(ctl, ctl->arguments[2], &screen);
	if (rc == RC_OK)
		rc = store(ctl, &screen);
	if (rc == RC_OK)
		printf("Screen %s of %s is stored.\n", screen.name,
			ctl->arguments[0]);
	return rc;
}

static enum rc
list(struct ctl *ctl)
{
	struct screen_list screens = {0};
	int64_t datasource_id;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc == RC_OK)
		rc = screen_query(ctl->db, ctl->arena, &screens, &ctl->fault);
	for (size_t i = 0; i < screens.count; i++)
		if (screens.items[i].datasource_id == datasource_id)
			printf("%s\t%s\n", screens.items[i].name,
				screens.items[i].title);
	return rc;
}

static enum rc
remove_screen(struct ctl *ctl)
{
	int64_t datasource_id;
	enum rc rc =
		ctl_find_datasource(ctl, ctl->arguments[0], &datasource_id);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = screen_delete(
		ctl->db, datasource_id, ctl->arguments[1], &ctl->fault);
	if (rc == RC_OK)
		rc = audit(ctl, "screen.delete", NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("Screen %s is gone.\n", ctl->arguments[1]);
	return rc;
}

static const struct ctl_option import_options[] = {
	{"title", "TEXT", "what people read; default: the name"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_screen_commands[] = {
	{"screen", "import", "DATASOURCE NAME FILE", 3, 3,
		"store an SVG as a process screen, or replace it",
		import_options, stmts, import},
	{"screen", "list", "DATASOURCE", 1, 1,
		"list the screens of a datasource", NULL, stmts, list},
	{"screen", "delete", "DATASOURCE NAME", 2, 2, "remove a screen", NULL,
		stmts, remove_screen},
	CTL_COMMANDS_END,
};
