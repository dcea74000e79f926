/* ctl_datasource: plants by name and UUID. */

#include <stdio.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "model/audit.h"
#include "model/datasource.h"

static const struct stmt *const stmts[] = {audit_stmts, datasource_stmts, NULL};

static enum rc
create(struct ctl *ctl, const uint8_t *uuid, struct datasource *datasource)
{
	const char *name = ctl->arguments[0];
	enum rc rc = datasource_create(ctl->db, ctl->arena, uuid, name,
		ctl_option_or(ctl, "description", ""), datasource, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	return ctl_audit(ctl, "datasource.create",
		arena_printf(ctl->arena, "datasource:%s", name), NULL,
		audit_values(ctl->arena, "uuid", datasource->uuid_text, NULL));
}

static enum rc
datasource_add(struct ctl *ctl)
{
	const char *given = ctl_option(ctl, "uuid");
	struct datasource datasource;
	uint8_t uuid[UUID_BYTES];
	enum rc rc = RC_OK;

	if (given != NULL)
		rc = ctl_uuid(ctl, given, uuid);
	else
		uuid_random(uuid);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, create(ctl, uuid, &datasource));
	if (rc == RC_OK)
		printf("%s\n", datasource.uuid_text);
	return rc;
}

static enum rc
datasource_list(struct ctl *ctl)
{
	struct datasource_list list;
	enum rc rc = datasource_query(ctl->db, ctl->arena, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++) {
		const struct datasource *item = &list.items[i];
		char seen[CLOCK_TEXT_BYTES] = "never";

		if (item->seen_us != CLOCK_NEVER)
			clock_format(seen, item->seen_us);
		printf("%s\t%s\t%s\t%s\n", item->uuid_text, item->name,
			item->online ? "Online" : "Offline", seen);
	}
	return rc;
}

static const struct ctl_option add_options[] = {
	{"uuid", "UUID", "of the plant project; default a new one"},
	{"description", "TEXT", "what the plant is"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_datasource_commands[] = {
	{"datasource", "add", "NAME", 1, 1, "make a plant; prints its UUID",
		add_options, stmts, datasource_add},
	{"datasource", "list", "", 0, 0,
		"every plant with its state and when it was last heard", NULL,
		stmts, datasource_list},
	CTL_COMMANDS_END,
};
