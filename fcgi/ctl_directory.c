/* ctl_directory: LDAP servers and Active Directories whose users may log in. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/secret.h"
#include "model/audit.h"
#include "model/directory_admin.h"
#include "model/group.h"
#include "model/group_mapping.h"

#define PAGE_ROWS 500

static const struct stmt *const stmts[] = {
	audit_stmts, directory_stmts, group_stmts, group_mapping_stmts, NULL};

/* --- settings --------------------------------------------------------- */

/* Texts that an option sets as they are. */
static const struct {
	const char *option;
	size_t offset;
} texts[] = {
	{"mode", offsetof(struct directory, mode)},
	{"bind-dn", offsetof(struct directory, bind_dn)},
	{"base", offsetof(struct directory, base)},
	{"user-filter", offsetof(struct directory, user_filter)},
	{"id-attribute", offsetof(struct directory, id_attribute)},
	{"name-attribute", offsetof(struct directory, name_attribute)},
	{"full-name-attribute",
		offsetof(struct directory, full_name_attribute)},
	{"email-attribute", offsetof(struct directory, email_attribute)},
	{"group-mode", offsetof(struct directory, group_mode)},
	{"group-base", offsetof(struct directory, group_base)},
	{"group-filter", offsetof(struct directory, group_filter)},
	{"state", offsetof(struct directory, state)},
};

static enum rc
read_files(struct ctl *ctl, struct directory *directory)
{
	const char *ca = ctl_option(ctl, "ca");
	const char *password = ctl_option(ctl, "password-file");
	char *text = NULL;
	enum rc rc = RC_OK;

	if (ca != NULL && strcmp(ca, "system") == 0)
		directory->ca = "";
	else if (ca != NULL) {
		rc = file_read(ctl->arena, ca, DIRECTORY_CA_BYTES, &text, NULL,
			&ctl->fault);
		directory->ca = text;
	}
	if (rc == RC_OK && password != NULL) {
		rc = secret_read(ctl->arena, password, &text, &ctl->fault);
		directory->bind_password = text;
	}
	return rc;
}

static enum rc
read_numbers(struct ctl *ctl, struct directory *directory)
{
	enum rc rc = ctl_option_int(
		ctl, "timeout-ms", 100, 30000, &directory->timeout_ms);

	if (rc == RC_OK)
		rc = ctl_option_int(
			ctl, "sync-s", 10, 86400, &directory->sync_s);
	if (rc == RC_OK)
		rc = ctl_option_int(
			ctl, "max-age-s", 60, 2592000, &directory->max_age_s);
	if (rc == RC_OK)
		rc = ctl_option_int(
			ctl, "position", 1, 1000000, &directory->position);
	return rc;
}

static enum rc
read_options(struct ctl *ctl, struct directory *directory)
{
	const char **uris = ctl_options(ctl, "uri");
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		const char *value = ctl_option(ctl, texts[i].option);

		if (value != NULL)
			memcpy((char *)directory + texts[i].offset, &value,
				sizeof(value));
	}
	while (uris[count] != NULL)
		count++;
	if (count > 0)
		directory->uris = (struct texts){count, uris};
	if (read_numbers(ctl, directory) != RC_OK)
		return ctl->fault.rc;
	return read_files(ctl, directory);
}

/* --- steps that commands have in common
 * ---------------------------------------- */

static enum rc
find(struct ctl *ctl, struct directory *directory)
{
	enum rc rc = directory_find(
		ctl->db, ctl->arena, ctl->arguments[0], directory, &ctl->fault);

	return rc == RC_NOT_FOUND ? fault_set(&ctl->fault, rc,
					    "there is no directory \"%s\"",
					    ctl->arguments[0])
				  : rc;
}

static enum rc
note(struct ctl *ctl, const char *action, const char *name, const char *before,
	const char *after)
{
	return ctl_audit(ctl, action,
		arena_printf(ctl->arena, "directory:%s", name), before, after);
}

/* --- commands
 * ------------------------------------------------------------------- */

static enum rc
create(struct ctl *ctl, const struct seal *seal, struct directory *directory)
{
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = directory_create(
		ctl->db, ctl->arena, seal, directory, &ctl->fault);
	if (rc == RC_OK)
		rc = note(ctl, "directory.create", directory->name, NULL,
			directory_describe(ctl->arena, directory));
	return ctl_end(ctl, rc);
}

static enum rc
directory_add(struct ctl *ctl)
{
	const char *kind = ctl_option_or(ctl, "kind", "openldap");
	struct directory directory;
	struct seal seal;
	enum rc rc;

	if (!directory_defaults(kind, &directory))
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--kind %s: it is openldap or active_directory", kind);
	directory.name = ctl->arguments[0];
	rc = read_options(ctl, &directory);
	if (rc == RC_OK)
		rc = seal_load(
			ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);
	if (rc == RC_OK)
		rc = create(ctl, &seal, &directory);
	if (rc == RC_OK)
		printf("Directory %s was created. Try it: fieldgridctl "
		       "directory test %s\n",
			directory.name, directory.name);
	return rc;
}

static enum rc
change(struct ctl *ctl, const struct seal *seal)
{
	struct directory directory;
	const char *before = NULL;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = find(ctl, &directory);
	if (rc == RC_OK) {
		before = directory_describe(ctl->arena, &directory);
		rc = read_options(ctl, &directory);
	}
	if (rc == RC_OK)
		rc = directory_change(
			ctl->db, ctl->arena, seal, &directory, &ctl->fault);
	if (rc == RC_OK)
		rc = note(ctl, "directory.change", directory.name, before,
			directory_describe(ctl->arena, &directory));
	return ctl_end(ctl, rc);
}

static enum rc
directory_alter(struct ctl *ctl)
{
	struct seal seal;
	enum rc rc =
		seal_load(ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);

	if (rc == RC_OK)
		rc = change(ctl, &seal);
	if (rc == RC_OK)
		printf("Directory %s was changed.\n", ctl->arguments[0]);
	return rc;
}

static enum rc
directory_drop(struct ctl *ctl)
{
	struct directory directory;
	enum rc rc = ctl_begin(ctl);

	if (rc != RC_OK)
		return rc;
	rc = find(ctl, &directory);
	if (rc == RC_OK)
		rc = directory_remove(
			ctl->db, ctl->arena, &directory, &ctl->fault);
	if (rc == RC_OK)
		rc = note(ctl, "directory.remove", directory.name,
			directory_describe(ctl->arena, &directory), NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		printf("Directory %s was removed; accounts that came from it "
		       "are disabled.\n",
			directory.name);
	return rc;
}

static void
print_directory(const struct directory *directory)
{
	char time[CLOCK_TEXT_BYTES] = "never";

	if (directory->synced_us != CLOCK_NEVER)
		clock_format(time, directory->synced_us);
	printf("%s\t%s\t%lld\t%s", directory->name, directory->state,
		(long long)directory->position, directory->mode);
	for (size_t i = 0; i < directory->uris.count; i++)
		printf("%c%s", i == 0 ? '\t' : ' ', directory->uris.items[i]);
	printf("\t%s\t%s\t%s\n", directory->base, time, directory->sync_fault);
}

static enum rc
directory_show_all(struct ctl *ctl)
{
	const struct directory_filter all = {.search = NULL};
	struct slice slice = {.sort = "position", .limit = PAGE_ROWS};
	struct directory_list list;
	enum rc rc = directory_slice(
		ctl->db, ctl->arena, &all, &slice, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++)
		print_directory(&list.items[i]);
	return rc;
}

/* Without a group: what is mapped. */
static enum rc
show_mappings(struct ctl *ctl)
{
	struct group_mapping_list list;
	struct directory directory;
	enum rc rc = find(ctl, &directory);

	if (rc == RC_OK)
		rc = group_mapping_list(ctl->db, ctl->arena,
			directory_source(ctl->arena, &directory), &list,
			&ctl->fault);
	for (size_t i = 0; rc == RC_OK && i < list.count; i++)
		printf("%s\t%s\n", list.items[i].external, list.items[i].group);
	return rc;
}

static enum rc
change_mapping(struct ctl *ctl, bool remove)
{
	struct directory directory;
	struct group group;
	enum rc rc = find(ctl, &directory);

	if (rc == RC_OK)
		rc = group_find(ctl->db, ctl->arena, ctl->arguments[2], &group,
			&ctl->fault);
	if (rc == RC_NOT_FOUND && ctl->fault.text[0] == '\0')
		return fault_set(&ctl->fault, rc, "there is no group \"%s\"",
			ctl->arguments[2]);
	if (rc == RC_OK)
		rc = group_mapping_set(ctl->db, ctl->arena,
			directory_source(ctl->arena, &directory),
			ctl->arguments[1], group.id,
			remove ? GROUP_UNMAP : GROUP_MAP, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	return note(ctl, remove ? "directory.unmap" : "directory.map",
		directory.name, NULL,
		audit_values(ctl->arena, "external", ctl->arguments[1], "group",
			group.name, NULL));
}

static enum rc
directory_show_map(struct ctl *ctl)
{
	bool remove = ctl_option(ctl, "remove") != NULL;
	enum rc rc;

	if (ctl->argument_count == 1)
		return show_mappings(ctl);
	if (ctl->argument_count == 2)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"name the group here as well");
	rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, change_mapping(ctl, remove));
	if (rc == RC_OK)
		printf("Members of %s are %s members of %s.\n",
			ctl->arguments[1], remove ? "no longer" : "now",
			ctl->arguments[2]);
	return rc;
}

static void
print_report(const struct directory_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		printf("%s\t%s\t%s\t%s\n",
			report->steps[i].good ? "good" : "BAD",
			report->steps[i].what, report->steps[i].uri,
			report->steps[i].words);
	for (size_t i = 0; i < report->groups.count; i++)
		printf("\tgroup\t\t%s\n", report->groups.items[i]);
}

static enum rc
directory_try(struct ctl *ctl)
{
	struct directory_report report;
	struct directory directory;
	struct seal seal;
	enum rc rc = find(ctl, &directory);

	if (rc == RC_OK)
		rc = seal_load(
			ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	directory_test(
		ctl->arena, &seal, &directory, ctl->arguments[1], &report);
	print_report(&report);
	return report.good ? RC_OK
			   : fault_set(&ctl->fault, RC_UPSTREAM,
				     "directory %s does not work yet",
				     directory.name);
}

/* --- the table
 * -------------------------------------------------------------------- */

#define SETTING_OPTIONS                                                        \
	{"uri", "URI",                                                         \
		"ldap://HOST:PORT for StartTLS or ldaps://HOST:PORT; may be "  \
		"repeated, tried in order"},                                   \
		{"mode", "MODE", "starttls or ldaps; never in clear"},         \
		{"ca", "FILE",                                                 \
			"certificates of the authority (PEM); \"system\" = "   \
			"those of this machine"},                              \
		{"bind-dn", "DN", "service account that may search"},          \
		{"password-file", "FILE",                                      \
			"file (0600) whose first line is its password; "       \
			"it is kept sealed"},                                  \
		{"base", "DN", "below which people are"},                      \
		{"user-filter", "FILTER",                                      \
			"finds a person; {name} is what was typed"},           \
		{"id-attribute", "NAME",                                       \
			"what never changes of a person, such as entryUUID"},  \
		{"name-attribute", "NAME", "the name to be known by here"},    \
		{"full-name-attribute", "NAME", "the person's name"},          \
		{"email-attribute", "NAME", "the e-mail address"},             \
		{"group-mode", "MODE",                                         \
			"none, search (group by group), matching_rule or "     \
			"token_groups (both of Active Directory)"},            \
		{"group-base", "DN", "below which groups are; \"\" = base"},   \
		{"group-filter", "FILTER",                                     \
			"finds the groups of a member; {dn} is its DN, "       \
			"{name} the name of a person"},                        \
		{"timeout-ms", "N", "give a step up after; default 3000"},     \
		{"sync-s", "N", "ask about everybody again after; 900"},       \
		{"max-age-s", "N",                                             \
			"when it is out of reach, people stay logged in "      \
			"for; 86400"},                                         \
		{"position", "N", "asked in this order; default: last"},       \
	{                                                                      \
		"state", "STATE", "active or disabled"                         \
	}

static const struct ctl_option add_options[] = {
	{"kind", "KIND",
		"whose usual settings to start from: openldap or "
		"active_directory"},
	SETTING_OPTIONS,
	CTL_OPTIONS_END,
};

static const struct ctl_option change_options[] = {
	SETTING_OPTIONS,
	CTL_OPTIONS_END,
};

static const struct ctl_option map_options[] = {
	{"remove", NULL, "no longer"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_directory_commands[] = {
	{"directory", "add", "NAME", 1, 1,
		"let the users of an LDAP server or Active Directory log in",
		add_options, stmts, directory_add},
	{"directory", "list", "", 0, 0, "every directory", NULL, stmts,
		directory_show_all},
	{"directory", "change", "NAME", 1, 1, "change its settings",
		change_options, stmts, directory_alter},
	{"directory", "remove", "NAME", 1, 1,
		"forget a directory and disable the accounts that came from it",
		NULL, stmts, directory_drop},
	{"directory", "map", "NAME [DN GROUP]", 1, 3,
		"make members of a group there members of a group here, or "
		"show what is mapped",
		map_options, stmts, directory_show_map},
	{"directory", "test", "NAME [PERSON]", 1, 2,
		"try to connect, bind and search, and say what is wrong", NULL,
		stmts, directory_try},
	CTL_COMMANDS_END,
};
