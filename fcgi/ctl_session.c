/* ctl_session: who is logged in with a browser. */

#include <stdio.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "model/audit.h"
#include "model/event.h"
#include "model/session_admin.h"

#define PAGE_ROWS 500

static const struct stmt *const stmts[] = {audit_stmts, event_write_stmts,
	session_admin_stmts, session_stmts, NULL};

static void
print_session(const struct session_entry *entry)
{
	char sid[UUID_TEXT_BYTES];
	char since[CLOCK_TEXT_BYTES];
	char seen[CLOCK_TEXT_BYTES];

	uuid_format(sid, entry->session.sid);
	clock_format(since, entry->created_us);
	clock_format(seen, entry->seen_us);
	printf("%s\t%s\t%s\t%s\t%s\n", sid, entry->user, since, seen,
		entry->address);
}

static enum rc
session_show_all(struct ctl *ctl)
{
	const struct session_filter filter = {.user = ctl_option(ctl, "user")};
	struct slice slice = {
		.sort = "created", .limit = PAGE_ROWS, .more = true};
	struct session_entry_list list;
	enum rc rc = RC_OK;

	while (rc == RC_OK && slice.more) {
		rc = session_slice(ctl->db, ctl->arena, &filter, &slice, &list,
			&ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			print_session(&list.items[i]);
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

enum rc
ctl_tell_logged_out(struct ctl *ctl, const char *user, const char *text)
{
	const struct event_new event = {.time_us = CLOCK_NEVER,
		.kind = "login.ended",
		.text = arena_printf(
			ctl->arena, "%s by %s", text, ctl_operator_name()),
		.username = user};

	return event_write(ctl->db, ctl->arena, &event, 1, &ctl->fault);
}

static enum rc
end(struct ctl *ctl, const uint8_t sid[UUID_BYTES])
{
	struct session_entry entry;
	enum rc rc =
		session_look(ctl->db, ctl->arena, sid, &entry, &ctl->fault);

	if (rc == RC_OK)
		rc = session_end(ctl->db, &entry.session, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_audit(ctl, "session.end",
			arena_printf(ctl->arena, "user:%s", entry.user),
			audit_values(ctl->arena, "session", ctl->arguments[0],
				"address", entry.address, NULL),
			NULL);
	if (rc == RC_OK)
		rc = ctl_tell_logged_out(ctl, entry.user, "logged out");
	return rc;
}

static enum rc
session_finish(struct ctl *ctl)
{
	uint8_t sid[UUID_BYTES];
	enum rc rc = ctl_uuid(ctl, ctl->arguments[0], sid);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc == RC_OK)
		rc = ctl_end(ctl, end(ctl, sid));
	if (rc == RC_OK)
		puts("The session and its tokens have ended.");
	return rc;
}

static const struct ctl_option list_options[] = {
	{"user", "NAME", "only sessions of this user"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_session_commands[] = {
	{"session", "list", "", 0, 0, "who is logged in", list_options, stmts,
		session_show_all},
	{"session", "end", "ID", 1, 1, "end a session and its tokens", NULL,
		stmts, session_finish},
	CTL_COMMANDS_END,
};
