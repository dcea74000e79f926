/* ctl_group: people with the same rights. */

#include <stdio.h>
#include <string.h>

#include "fcgi/ctl.h"
#include "fcgi/policy_json.h"
#include "model/audit.h"

#define PAGE_ROWS 500

static const struct stmt *const stmts[] = {
	group_stmts, policy_subject_stmts, audit_stmts, NULL};

static enum rc
find_group(struct ctl *ctl, struct group *group)
{
	return group_find(
		ctl->db, ctl->arena, ctl->arguments[0], group, &ctl->fault);
}

static enum rc
note(struct ctl *ctl, const char *action, const char *name, const char *before,
	const char *after)
{
	return ctl_audit(ctl, action,
		arena_printf(ctl->arena, "group:%s", name), before, after);
}

/* --- the group ------------------------------------------------------------ */

static enum rc
create(struct ctl *ctl)
{
	const struct group wanted = {.name = ctl->arguments[0],
		.description = ctl_option_or(ctl, "description", ""),
		.require_second_factor =
			ctl_option(ctl, "require-second-factor") != NULL};
	struct group made;
	enum rc rc =
		group_create(ctl->db, ctl->arena, &wanted, &made, &ctl->fault);

	if (rc == RC_OK)
		rc = note(ctl, "group.create", made.name, NULL,
			group_text(ctl->arena, &made));
	return rc;
}

static enum rc
group_add(struct ctl *ctl)
{
	enum rc rc = ctl_begin(ctl);

	if (rc == RC_OK)
		rc = ctl_end(ctl, create(ctl));
	if (rc == RC_OK)
		printf("Group %s was made.\n", ctl->arguments[0]);
	return rc;
}

static enum rc
change(struct ctl *ctl, struct group *group)
{
	const char *before = group_text(ctl->arena, group);
	const char *factor = ctl_option(ctl, "require-second-factor");
	enum rc rc;

	group->name = ctl_option_or(ctl, "name", group->name);
	group->description =
		ctl_option_or(ctl, "description", group->description);
	if (factor != NULL && strcmp(factor, "yes") != 0 &&
		strcmp(factor, "no") != 0)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--require-second-factor is yes or no");
	if (factor != NULL)
		group->require_second_factor = strcmp(factor, "yes") == 0;
	rc = group_change(ctl->db, group, &ctl->fault);
	if (rc == RC_OK)
		rc = note(ctl, "group.change", group->name, before,
			group_text(ctl->arena, group));
	return rc;
}

static enum rc
group_set(struct ctl *ctl)
{
	struct group group;
	enum rc rc = find_group(ctl, &group);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, change(ctl, &group));
	if (rc == RC_OK)
		printf("Group %s is changed.\n", group.name);
	return rc;
}

static enum rc
remove_group(struct ctl *ctl, const struct group *group)
{
	enum rc rc = group_delete(ctl->db, group->id, &ctl->fault);

	if (rc == RC_OK)
		rc = note(ctl, "group.delete", group->name,
			group_text(ctl->arena, group), NULL);
	return rc;
}

static enum rc
group_remove(struct ctl *ctl)
{
	struct group group;
	enum rc rc = find_group(ctl, &group);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, remove_group(ctl, &group));
	if (rc == RC_OK)
		printf("Group %s, its rules and grants are gone.\n",
			group.name);
	return rc;
}

static void
print_group(const struct group *group)
{
	printf("%s\t%s\t%lld members\t%s\n", group->name, group->description,
		(long long)group->members,
		group->require_second_factor ? "second factor" : "");
}

static enum rc
group_show_all(struct ctl *ctl)
{
	const struct group_filter filter = {.search = NULL};
	struct slice slice = {.sort = "name", .limit = PAGE_ROWS, .more = true};
	struct group_list list;
	enum rc rc = RC_OK;

	while (rc == RC_OK && slice.more) {
		rc = group_slice(ctl->db, ctl->arena, &filter, &slice, &list,
			&ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			print_group(&list.items[i]);
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

/* --- members -------------------------------------------------------------- */

/* "user NAME" or "group NAME". */
static enum rc
find_member(struct ctl *ctl, struct policy_subject *member)
{
	const char *kind = ctl->arguments[1];

	if (strcmp(kind, "user") != 0 && strcmp(kind, "group") != 0)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"%s: expected user or group", kind);
	return policy_subject_find(ctl->db, ctl->arena, kind, ctl->arguments[2],
		member, &ctl->fault);
}

static enum rc
join(struct ctl *ctl, const struct group *group,
	const struct policy_subject *member)
{
	bool person = strcmp(member->kind, "user") == 0;
	enum rc rc = person ? group_add_user(ctl->db, group->id, member->id,
				      &ctl->fault)
			    : group_add_group(ctl->db, ctl->arena, group->id,
				      member->id, &ctl->fault);

	if (rc == RC_OK)
		rc = note(ctl, "group.add", group->name, NULL,
			audit_values(
				ctl->arena, member->kind, member->name, NULL));
	return rc;
}

static enum rc
leave(struct ctl *ctl, const struct group *group,
	const struct policy_subject *member)
{
	bool person = strcmp(member->kind, "user") == 0;
	enum rc rc = person ? group_remove_user(ctl->db, group->id, member->id,
				      &ctl->fault)
			    : group_remove_group(ctl->db, group->id, member->id,
				      &ctl->fault);

	if (rc == RC_OK)
		rc = note(ctl, "group.remove", group->name,
			audit_values(
				ctl->arena, member->kind, member->name, NULL),
			NULL);
	return rc;
}

static enum rc
move(struct ctl *ctl,
	enum rc (*step)(struct ctl *ctl, const struct group *group,
		const struct policy_subject *member),
	const char *words)
{
	struct policy_subject member;
	struct group group;
	enum rc rc = find_group(ctl, &group);

	if (rc == RC_OK)
		rc = find_member(ctl, &member);
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, step(ctl, &group, &member));
	if (rc == RC_OK)
		printf("%s %s is %s group %s.\n", member.kind, member.name,
			words, group.name);
	return rc;
}

static enum rc
group_join(struct ctl *ctl)
{
	return move(ctl, join, "in");
}

static enum rc
group_leave(struct ctl *ctl)
{
	return move(ctl, leave, "not in");
}

static enum rc
group_show_members(struct ctl *ctl)
{
	const struct group_member_filter filter = {.kind = NULL};
	struct slice slice = {.sort = "name", .limit = PAGE_ROWS, .more = true};
	struct group_members list;
	struct group group;
	enum rc rc = find_group(ctl, &group);

	while (rc == RC_OK && slice.more) {
		rc = group_member_slice(ctl->db, ctl->arena, group.id, &filter,
			&slice, &list, &ctl->fault);
		for (size_t i = 0; rc == RC_OK && i < list.count; i++)
			printf("%s\t%s\t%s\n", list.items[i].kind,
				list.items[i].name, list.items[i].source);
		slice.after = slice.next;
		slice.after_id = slice.next_id;
	}
	return rc;
}

/* --- the table ------------------------------------------------------------ */

static const struct ctl_option add_options[] = {
	{"description", "TEXT", "who they are"},
	{"require-second-factor", NULL, "its members log in with a second one"},
	CTL_OPTIONS_END,
};

static const struct ctl_option set_options[] = {
	{"name", "NAME", "a new name"},
	{"description", "TEXT", "who they are"},
	{"require-second-factor", "yes|no",
		"do its members log in with a second one?"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_group_commands[] = {
	{"group", "add", "NAME", 1, 1, "make a group", add_options, stmts,
		group_add},
	{"group", "set", "NAME", 1, 1, "change a group", set_options, stmts,
		group_set},
	{"group", "remove", "NAME", 1, 1,
		"remove a group with its rules and grants", NULL, stmts,
		group_remove},
	{"group", "list", "", 0, 0, "every group", NULL, stmts, group_show_all},
	{"group", "join", "GROUP user|group NAME", 3, 3,
		"put somebody, or a whole group, into a group", NULL, stmts,
		group_join},
	{"group", "leave", "GROUP user|group NAME", 3, 3,
		"take somebody out of a group", NULL, stmts, group_leave},
	{"group", "members", "NAME", 1, 1, "who is in a group", NULL, stmts,
		group_show_members},
	CTL_COMMANDS_END,
};
