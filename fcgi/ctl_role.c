/* ctl_role: rights under a name, and who holds them. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "fcgi/policy_json.h"
#include "model/audit.h"
#include "model/datasource.h"

#define PAGE_ROWS 500

static const struct stmt *const stmts[] = {
	role_stmts, policy_subject_stmts, datasource_stmts, audit_stmts, NULL};

static enum rc
find_role(struct ctl *ctl, struct role *role)
{
	return role_find(
		ctl->db, ctl->arena, ctl->arguments[0], role, &ctl->fault);
}

static enum rc
note(struct ctl *ctl, const char *action, const char *name, const char *before,
	const char *after)
{
	return ctl_audit(ctl, action, arena_printf(ctl->arena, "role:%s", name),
		before, after);
}

/* --- the role ------------------------------------------------------------- */

static enum rc
create(struct ctl *ctl)
{
	const struct role wanted = {.name = ctl->arguments[0],
		.description = ctl_option_or(ctl, "description", "")};
	struct role made;
	enum rc rc =
		role_create(ctl->db, ctl->arena, &wanted, &made, &ctl->fault);

	if (rc == RC_OK)
		rc = note(ctl, "role.create", made.name, NULL,
			role_text(ctl->arena, &made));
	return rc;
}

static enum rc
role_add(struct ctl *ctl)
{
	enum rc rc = ctl_begin(ctl);

	if (rc == RC_OK)
		rc = ctl_end(ctl, create(ctl));
	if (rc == RC_OK)
		printf("Role %s was made. Say what it may: fieldgridctl policy "
		       "grant role '%s' RIGHT\n",
			ctl->arguments[0], ctl->arguments[0]);
	return rc;
}

static enum rc
change(struct ctl *ctl, struct role *role)
{
	const char *before = role_text(ctl->arena, role);
	enum rc rc;

	role->name = ctl_option_or(ctl, "name", role->name);
	role->description =
		ctl_option_or(ctl, "description", role->description);
	rc = role_change(ctl->db, role, &ctl->fault);
	if (rc == RC_OK)
		rc = note(ctl, "role.change", role->name, before,
			role_text(ctl->arena, role));
	return rc;
}

static enum rc
role_set(struct ctl *ctl)
{
	struct role role;
	enum rc rc = find_role(ctl, &role);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, change(ctl, &role));
	if (rc == RC_OK)
		printf("Role %s is changed.\n", role.name);
	return rc;
}

static enum rc
remove_role(struct ctl *ctl, const struct role *role)
{
	enum rc rc = role_delete(ctl->db, role, &ctl->fault);

	if (rc == RC_OK)
		rc = note(ctl, "role.delete", role->name,
			role_text(ctl->arena, role), NULL);
	return rc;
}

static enum rc
role_remove(struct ctl *ctl)
{
	struct role role;
	enum rc rc = find_role(ctl, &role);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, remove_role(ctl, &role));
	if (rc == RC_OK)
		printf("Role %s, its rules and grants are gone.\n", role.name);
	return rc;
}

static enum rc
role_show_all(struct ctl *ctl)
{
	const struct role_filter filter = {.search = NULL};
	struct slice slice = {.sort = "name", .limit = PAGE_ROWS, .more = true};
	struct role_list list;
	enum rc rc = RC_OK;

	while (rc == RC_OK && slice.more) {
		rc = role_slice(ctl->db, ctl->arena, &filter, &slice, &list,
			&ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			printf("%s\t%s\t%s\t%lld grants\n", list.items[i].name,
				list.items[i].description,
				list.items[i].built_in ? "ready-made" : "",
				(long long)list.items[i].grants);
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

/* --- grants --------------------------------------------------------------- */

/* Arguments 1 and 2, and --datasource. */
static enum rc
read_grant(struct ctl *ctl, struct role_grant *grant)
{
	const char *wanted = ctl_option(ctl, "datasource");
	enum rc rc = policy_subject_find(ctl->db, ctl->arena, ctl->arguments[1],
		ctl->arguments[2], &grant->subject, &ctl->fault);

	if (rc == RC_OK && wanted != NULL)
		rc = ctl_find_datasource(ctl, wanted, &grant->datasource_id);
	return rc;
}

static enum rc
give(struct ctl *ctl, const struct role *role, struct role_grant *grant)
{
	enum rc rc = role_give(ctl->db, ctl->arena, role, grant, &ctl->fault);

	if (rc == RC_OK)
		rc = role_find_grant(ctl->db, ctl->arena, role, grant->id,
			grant, &ctl->fault);
	if (rc == RC_OK)
		rc = note(ctl, "role.grant", role->name, NULL,
			role_grant_text(ctl->arena, grant));
	return rc;
}

static enum rc
take(struct ctl *ctl, const struct role *role, struct role_grant *grant)
{
	enum rc rc =
		role_find_held(ctl->db, ctl->arena, role, grant, &ctl->fault);

	if (rc == RC_OK)
		rc = role_take(ctl->db, role, grant, &ctl->fault);
	if (rc == RC_OK)
		rc = note(ctl, "role.revoke", role->name,
			role_grant_text(ctl->arena, grant), NULL);
	return rc;
}

static enum rc
move(struct ctl *ctl,
	enum rc (*step)(struct ctl *ctl, const struct role *role,
		struct role_grant *grant),
	const char *words)
{
	struct role_grant grant = {.id = NULL};
	struct role role;
	enum rc rc = find_role(ctl, &role);

	if (rc == RC_OK)
		rc = read_grant(ctl, &grant);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, step(ctl, &role, &grant));
	if (rc == RC_OK)
		printf("%s %s %s the role %s.\n", grant.subject.kind,
			grant.subject.name, words, role.name);
	return rc;
}

static enum rc
role_grant_one(struct ctl *ctl)
{
	return move(ctl, give, "holds");
}

static enum rc
role_revoke_one(struct ctl *ctl)
{
	return move(ctl, take, "no longer holds");
}

static enum rc
role_show_grants(struct ctl *ctl)
{
	const struct role_grant_filter filter = {.search = NULL};
	struct slice slice = {
		.sort = "subject", .limit = PAGE_ROWS, .more = true};
	struct role_grants list;
	struct role role;
	enum rc rc = find_role(ctl, &role);

	while (rc == RC_OK && slice.more) {
		rc = role_grant_slice(ctl->db, ctl->arena, &role, &filter,
			&slice, &list, &ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			printf("%s\t%s\t%s\n", list.items[i].subject.kind,
				list.items[i].subject.name,
				list.items[i].datasource != NULL
					? list.items[i].datasource
					: "*");
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

/* --- the table ------------------------------------------------------------ */

#define SUBJECT "ROLE everyone|user|group|client|node NAME"

static const struct ctl_option add_options[] = {
	{"description", "TEXT", "what it is for"},
	CTL_OPTIONS_END,
};

static const struct ctl_option set_options[] = {
	{"name", "NAME", "a new name"},
	{"description", "TEXT", "what it is for"},
	CTL_OPTIONS_END,
};

static const struct ctl_option grant_options[] = {
	{"datasource", "NAME", "only there, by name or UUID"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_role_commands[] = {
	{"role", "add", "NAME", 1, 1, "make a role", add_options, stmts,
		role_add},
	{"role", "set", "NAME", 1, 1, "change a role", set_options, stmts,
		role_set},
	{"role", "remove", "NAME", 1, 1,
		"remove a role with its rules and grants", NULL, stmts,
		role_remove},
	{"role", "list", "", 0, 0, "every role", NULL, stmts, role_show_all},
	{"role", "grant", SUBJECT, 3, 3, "give a role to somebody",
		grant_options, stmts, role_grant_one},
	{"role", "revoke", SUBJECT, 3, 3, "take a role back", grant_options,
		stmts, role_revoke_one},
	{"role", "grants", "NAME", 1, 1, "who holds a role", NULL, stmts,
		role_show_grants},
	CTL_COMMANDS_END,
};
