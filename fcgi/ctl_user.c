/* ctl_user: people who may log in. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "lib/password.h"
#include "lib/secret.h"
#include "model/application.h"
#include "model/audit.h"
#include "model/event.h"
#include "model/factor.h"
#include "model/membership.h"
#include "model/session.h"
#include "model/user_admin.h"

#define PAGE_ROWS 500

static const struct stmt *const stmts[] = {application_stmts, audit_stmts,
	event_write_stmts, factor_stmts, membership_stmts, session_stmts,
	user_admin_stmts, user_stmts, NULL};

/* The one of --password-file, or a random one. */
static enum rc
get_password(struct ctl *ctl, const char **password, bool *random)
{
	const char *path = ctl_option(ctl, "password-file");
	char *text;
	enum rc rc = password_list_load(ctl->conf.passwords, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	*random = path == NULL;
	if (*random) {
		*password = user_random_password(ctl->arena);
		return RC_OK;
	}
	rc = secret_read(ctl->arena, path, &text, &ctl->fault);
	*password = text;
	return rc;
}

/* Whoever runs the command knows a random one, and should not. */
static bool
is_initial(const struct ctl *ctl, bool random)
{
	return random || ctl_option(ctl, "initial") != NULL;
}

static void
print_password(const char *password, bool random)
{
	if (random)
		printf("password: %s\nIt is shown only now, and must be "
		       "changed at its first use within %d days.\n",
			password, USER_INITIAL_DAYS);
}

static enum rc
find_user(struct ctl *ctl, struct user_entry *entry)
{
	return user_look(
		ctl->db, ctl->arena, ctl->arguments[0], entry, &ctl->fault);
}

static enum rc
begin(struct ctl *ctl, struct user_entry *entry)
{
	enum rc rc = ctl_begin(ctl);

	*entry = (struct user_entry){.user = {.name = ""}};
	return rc == RC_OK ? find_user(ctl, entry) : rc;
}

/* Note what was done and commit, or undo it all. */
static enum rc
finish(struct ctl *ctl, enum rc rc, const char *action, const char *before,
	const char *after)
{
	if (rc == RC_OK)
		rc = ctl_audit(ctl, action,
			arena_printf(ctl->arena, "user:%s", ctl->arguments[0]),
			before, after);
	return ctl_end(ctl, rc);
}

/* --- accounts ----------------------------------------------------------------
 */

static enum rc
create(struct ctl *ctl, const struct user_new *wanted)
{
	struct user_entry entry;
	struct user user;
	const char *after = NULL;
	enum rc rc = ctl_begin(ctl);

	if (rc == RC_OK)
		rc = user_create(
			ctl->db, ctl->arena, wanted, &user, &ctl->fault);
	if (rc == RC_OK)
		rc = find_user(ctl, &entry);
	if (rc == RC_OK)
		after = user_describe(ctl->arena, &entry);
	return finish(ctl, rc, "account.create", NULL, after);
}

static enum rc
user_add(struct ctl *ctl)
{
	struct user_new wanted = {.name = ctl->arguments[0],
		.full_name = ctl_option_or(ctl, "full-name", ""),
		.email = ctl_option_or(ctl, "email", ""),
		.administrator = ctl_option(ctl, "administrator") != NULL};
	bool random;
	enum rc rc =
		user_check_texts(wanted.full_name, wanted.email, &ctl->fault);

	if (rc == RC_OK)
		rc = get_password(ctl, &wanted.password, &random);
	if (rc != RC_OK)
		return rc;
	wanted.initial = is_initial(ctl, random);
	rc = create(ctl, &wanted);
	if (rc == RC_CONFLICT)
		return fault_set(&ctl->fault, rc,
			"there is a user \"%s\" already", wanted.name);
	if (rc != RC_OK)
		return rc;
	printf("User %s was created.\n", wanted.name);
	print_password(wanted.password, random);
	return RC_OK;
}

static enum rc
user_password(struct ctl *ctl)
{
	struct user_entry entry;
	const char *password;
	bool random;
	enum rc rc = get_password(ctl, &password, &random);

	if (rc == RC_OK)
		rc = begin(ctl, &entry);
	if (rc != RC_OK)
		return rc;
	rc = user_set_password(ctl->db, ctl->arena, entry.user.id, password,
		is_initial(ctl, random) ? USER_PASSWORD_INITIAL
					: USER_PASSWORD_OWN,
		&ctl->fault);
	rc = finish(ctl, rc, "account.password", NULL, NULL);
	if (rc != RC_OK)
		return rc;
	printf("User %s has a new password; all sessions have ended.\n",
		entry.user.name);
	print_password(password, random);
	return RC_OK;
}

static enum rc
alter(struct ctl *ctl, const char *action, const struct user_entry *before,
	const struct user_change *change)
{
	struct user_entry after;
	const char *text = NULL;
	enum rc rc = user_alter(ctl->db, before, change, &ctl->fault);

	if (rc == RC_OK)
		rc = find_user(ctl, &after);
	if (rc == RC_OK)
		text = user_describe(ctl->arena, &after);
	return finish(ctl, rc, action, user_describe(ctl->arena, before), text);
}

static enum rc
set_active(struct ctl *ctl, bool active)
{
	struct user_entry entry;
	enum rc rc = begin(ctl, &entry);

	if (rc == RC_OK)
		rc = alter(ctl, active ? "account.enable" : "account.disable",
			&entry,
			&(struct user_change){entry.user.full_name,
				entry.user.email, entry.user.administrator,
				active});
	if (rc == RC_OK)
		printf("User %s is %s.\n", entry.user.name,
			active ? "active" : "disabled");
	return rc;
}

static enum rc
user_enable(struct ctl *ctl)
{
	return set_active(ctl, true);
}

static enum rc
user_disable(struct ctl *ctl)
{
	return set_active(ctl, false);
}

static enum rc
user_change(struct ctl *ctl)
{
	bool up = ctl_option(ctl, "administrator") != NULL;
	bool down = ctl_option(ctl, "no-administrator") != NULL;
	struct user_change change;
	struct user_entry entry;
	enum rc rc;

	if (up && down)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--administrator or --no-administrator?");
	rc = begin(ctl, &entry);
	if (rc != RC_OK)
		return rc;
	change = (struct user_change){
		ctl_option_or(ctl, "full-name", entry.user.full_name),
		ctl_option_or(ctl, "email", entry.user.email),
		up || (entry.user.administrator && !down), entry.user.active};
	rc = alter(ctl, "account.change", &entry, &change);
	if (rc == RC_OK)
		printf("User %s was changed.\n", entry.user.name);
	return rc;
}

static enum rc
user_delete(struct ctl *ctl)
{
	struct user_entry entry;
	enum rc rc = begin(ctl, &entry);

	if (rc != RC_OK)
		return rc;
	rc = user_remove(ctl->db, &entry, &ctl->fault);
	rc = finish(ctl, rc, "account.remove",
		user_describe(ctl->arena, &entry), NULL);
	if (rc == RC_OK)
		printf("User %s was removed.\n", entry.user.name);
	return rc;
}

static enum rc
user_let_try(struct ctl *ctl)
{
	struct user_entry entry;
	enum rc rc = begin(ctl, &entry);

	if (rc == RC_OK)
		rc = session_login_unlock(
			ctl->db, ctl->arena, entry.user.name, &ctl->fault);
	rc = finish(ctl, rc, "account.unlock", NULL, NULL);
	if (rc == RC_OK)
		printf("User %s may log in without waiting.\n",
			entry.user.name);
	return rc;
}

static enum rc
user_drop_factor(struct ctl *ctl)
{
	struct user_entry entry;
	enum rc rc = begin(ctl, &entry);

	if (rc == RC_OK)
		rc = user_reset_factor(ctl->db, entry.user.id, &ctl->fault);
	rc = finish(ctl, rc, "account.factor", NULL, NULL);
	if (rc == RC_OK)
		printf("User %s has no second factor; all sessions have "
		       "ended.\n",
			entry.user.name);
	return rc;
}

static enum rc
user_log_out(struct ctl *ctl)
{
	struct user_entry entry;
	enum rc rc = begin(ctl, &entry);

	if (rc == RC_OK)
		rc = user_end_access(ctl->db, entry.user.id, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_tell_logged_out(
			ctl, entry.user.name, "logged out everywhere");
	rc = finish(ctl, rc, "session.end_all", NULL, NULL);
	if (rc == RC_OK)
		printf("All sessions and tokens of %s have ended.\n",
			entry.user.name);
	return rc;
}

/* --- looking
 * ------------------------------------------------------------------- */

static void
print_user(const struct user_entry *entry)
{
	printf("%s\t%s\t%s\t%s\t%s\t%s\n", entry->user.name,
		entry->user.full_name, entry->user.email,
		entry->user.active ? "active" : "disabled",
		entry->user.administrator ? "administrator" : "",
		entry->source);
}

static enum rc
user_show_all(struct ctl *ctl)
{
	const struct user_filter filter = {.search = ctl_option(ctl, "search"),
		.state = ctl_option(ctl, "state"),
		.group = ctl_option(ctl, "group")};
	struct slice slice = {.sort = "name", .limit = PAGE_ROWS, .more = true};
	struct user_entry_list list;
	enum rc rc = RC_OK;

	while (rc == RC_OK && slice.more) {
		rc = user_slice(ctl->db, ctl->arena, &filter, &slice, &list,
			&ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			print_user(&list.items[i]);
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

static const char *
time_text(struct arena *arena, int64_t time_us)
{
	char *text = arena_alloc(arena, CLOCK_TEXT_BYTES);

	if (time_us == CLOCK_NEVER)
		return "never";
	clock_format(text, time_us);
	return text;
}

static enum rc
print_groups(struct ctl *ctl, int64_t user_id)
{
	struct membership_list list;
	enum rc rc = membership_query(
		ctl->db, ctl->arena, user_id, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++)
		printf("group: %s%s%s\n", list.items[i].group,
			list.items[i].source[0] != '\0' ? " by " : "",
			list.items[i].source);
	return rc;
}

static void
print_application(struct arena *arena, const struct application *application)
{
	printf("application: %s, since %s, scopes:", application->client_id,
		time_text(arena, application->since_us));
	for (const char **scope = application->scopes; *scope != NULL; scope++)
		printf(" %s", *scope);
	putchar('\n');
}

static enum rc
print_applications(struct ctl *ctl, int64_t user_id)
{
	struct application_list list;
	enum rc rc = application_query(
		ctl->db, ctl->arena, user_id, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++)
		print_application(ctl->arena, &list.items[i]);
	return rc;
}

static enum rc
user_show(struct ctl *ctl)
{
	struct user_entry entry;
	char uuid[UUID_TEXT_BYTES];
	enum rc rc = find_user(ctl, &entry);

	if (rc != RC_OK)
		return rc;
	uuid_format(uuid, entry.user.uuid);
	printf("name: %s\nid: %s\nfull name: %s\ne-mail: %s\nstate: %s\n"
	       "administrator: %s\nsource: %s\ncreated: %s\nlast log-in: %s\n"
	       "password: %s\nsecond factor: %s\nsessions: %lld\n",
		entry.user.name, uuid, entry.user.full_name, entry.user.email,
		entry.user.active ? "active" : "disabled",
		entry.user.administrator ? "yes" : "no", entry.source,
		time_text(ctl->arena, entry.created_us),
		time_text(ctl->arena, entry.login_us), entry.password,
		entry.second_factor ? "yes" : "no", (long long)entry.sessions);
	rc = print_groups(ctl, entry.user.id);
	return rc == RC_OK ? print_applications(ctl, entry.user.id) : rc;
}

static enum rc
user_revoke(struct ctl *ctl)
{
	const char *client = ctl->arguments[1];
	struct user_entry entry;
	enum rc rc = begin(ctl, &entry);

	if (rc == RC_OK)
		rc = application_revoke(
			ctl->db, entry.user.id, client, &ctl->fault);
	rc = finish(ctl, rc, "consent.revoke",
		audit_values(ctl->arena, "client", client, NULL), NULL);
	if (rc == RC_OK)
		printf("%s has to ask %s again.\n", client, entry.user.name);
	return rc;
}

/* --- the table
 * ------------------------------------------------------------------ */

#define PASSWORD_OPTIONS                                                       \
	{"password-file", "FILE",                                              \
		"file (0600) whose first line is the password; without it a "  \
		"random one is made and shown once"},                          \
	{                                                                      \
		"initial", NULL,                                               \
			"the password of the file must be changed at its "     \
			"first use, as a random one must"                      \
	}

static const struct ctl_option add_options[] = {
	{"full-name", "TEXT", "the person's name"},
	{"email", "ADDRESS", "the person's e-mail address"},
	{"administrator", NULL, "may do everything"},
	PASSWORD_OPTIONS,
	CTL_OPTIONS_END,
};

static const struct ctl_option change_options[] = {
	{"full-name", "TEXT", "the person's name"},
	{"email", "ADDRESS", "the person's e-mail address"},
	{"administrator", NULL, "may do everything"},
	{"no-administrator", NULL, "may do what rules and roles allow"},
	CTL_OPTIONS_END,
};

static const struct ctl_option password_options[] = {
	PASSWORD_OPTIONS,
	CTL_OPTIONS_END,
};

static const struct ctl_option list_options[] = {
	{"search", "TEXT", "part of the name, full name or e-mail address"},
	{"state", "STATE", "active or disabled"},
	{"group", "NAME", "members of this group"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_user_commands[] = {
	{"user", "add", "NAME", 1, 1, "create a user", add_options, stmts,
		user_add},
	{"user", "change", "NAME", 1, 1, "change name, address or rank",
		change_options, stmts, user_change},
	{"user", "password", "NAME", 1, 1,
		"set a new password and end all sessions", password_options,
		stmts, user_password},
	{"user", "list", "", 0, 0, "every user", list_options, stmts,
		user_show_all},
	{"user", "show", "NAME", 1, 1, "one user, with groups and applications",
		NULL, stmts, user_show},
	{"user", "enable", "NAME", 1, 1, "let a disabled user log in again",
		NULL, stmts, user_enable},
	{"user", "disable", "NAME", 1, 1,
		"end all sessions and tokens of a user and refuse new ones",
		NULL, stmts, user_disable},
	{"user", "unlock", "NAME", 1, 1,
		"forget failed log-ins, so that nobody has to wait", NULL,
		stmts, user_let_try},
	{"user", "reset-factor", "NAME", 1, 1,
		"remove the second factor and end all sessions", NULL, stmts,
		user_drop_factor},
	{"user", "logout", "NAME", 1, 1,
		"end all sessions and tokens of a user", NULL, stmts,
		user_log_out},
	{"user", "revoke", "NAME CLIENT", 2, 2,
		"take back what a user gave a client", NULL, stmts,
		user_revoke},
	{"user", "remove", "NAME", 1, 1, "remove a user for ever", NULL, stmts,
		user_delete},
	CTL_COMMANDS_END,
};
