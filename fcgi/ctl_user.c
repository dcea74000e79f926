/* ctl_user: people who may log in. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/password.h"
#include "lib/secret.h"
#include "model/user.h"

#define PASSWORD_LETTERS 20

static const struct stmt *const stmts[] = {user_stmts, NULL};

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
		*password = arena_strndup(
			ctl->arena, secret_token(ctl->arena), PASSWORD_LETTERS);
		return RC_OK;
	}
	rc = secret_read(ctl->arena, path, &text, &ctl->fault);
	*password = text;
	return rc;
}

static void
print_password(const char *password, bool random)
{
	if (random)
		printf("password: %s\nIt is shown only now.\n", password);
}

static enum rc
find_user(struct ctl *ctl, struct user *user)
{
	const char *name = ctl->arguments[0];
	enum rc rc = user_find(ctl->db, ctl->arena, name, user, &ctl->fault);

	if (rc == RC_NOT_FOUND)
		return fault_set(
			&ctl->fault, rc, "there is no user \"%s\"", name);
	return rc;
}

static enum rc
user_add(struct ctl *ctl)
{
	struct user_new wanted = {.name = ctl->arguments[0],
		.full_name = ctl_option_or(ctl, "full-name", ""),
		.email = ctl_option_or(ctl, "email", ""),
		.administrator = ctl_option(ctl, "administrator") != NULL};
	struct user user;
	bool random;
	enum rc rc = get_password(ctl, &wanted.password, &random);

	if (rc == RC_OK)
		rc = user_create(
			ctl->db, ctl->arena, &wanted, &user, &ctl->fault);
	if (rc == RC_CONFLICT)
		return fault_set(&ctl->fault, rc,
			"there is a user \"%s\" already", wanted.name);
	if (rc != RC_OK)
		return rc;
	printf("User %s was created.\n", user.name);
	print_password(wanted.password, random);
	return RC_OK;
}

static enum rc
user_password(struct ctl *ctl)
{
	struct user user;
	const char *password;
	bool random;
	enum rc rc = get_password(ctl, &password, &random);

	if (rc == RC_OK)
		rc = find_user(ctl, &user);
	if (rc == RC_OK)
		rc = user_set_password(
			ctl->db, ctl->arena, user.id, password, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	printf("User %s has a new password; all sessions have ended.\n",
		user.name);
	print_password(password, random);
	return RC_OK;
}

static enum rc
set_active(struct ctl *ctl, bool active)
{
	struct user user;
	enum rc rc = find_user(ctl, &user);

	if (rc == RC_OK)
		rc = user_set_active(ctl->db, user.id, active, &ctl->fault);
	if (rc == RC_OK)
		printf("User %s is %s.\n", user.name,
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
user_show_all(struct ctl *ctl)
{
	struct user_list list;
	enum rc rc = user_list(ctl->db, ctl->arena, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++)
		printf("%s\t%s\t%s\t%s\t%s\n", list.items[i].name,
			list.items[i].full_name, list.items[i].email,
			list.items[i].active ? "active" : "disabled",
			list.items[i].administrator ? "administrator" : "");
	return rc;
}

#define PASSWORD_OPTION                                                        \
	{                                                                      \
		"password-file", "FILE",                                       \
			"file (0600) whose first line is the password; "       \
			"without it a "                                        \
			"random one is made and shown once"                    \
	}

static const struct ctl_option add_options[] = {
	{"full-name", "TEXT", "the person's name"},
	{"email", "ADDRESS", "the person's e-mail address"},
	{"administrator", NULL, "may do everything"},
	PASSWORD_OPTION,
	CTL_OPTIONS_END,
};

static const struct ctl_option password_options[] = {
	PASSWORD_OPTION,
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_user_commands[] = {
	{"user", "add", "NAME", 1, 1, "create a user", add_options, stmts,
		user_add},
	{"user", "password", "NAME", 1, 1,
		"set a new password and end all sessions", password_options,
		stmts, user_password},
	{"user", "list", "", 0, 0, "every user", NULL, stmts, user_show_all},
	{"user", "enable", "NAME", 1, 1, "let a disabled user log in again",
		NULL, stmts, user_enable},
	{"user", "disable", "NAME", 1, 1,
		"end all sessions and tokens of a user and refuse new ones",
		NULL, stmts, user_disable},
	CTL_COMMANDS_END,
};
