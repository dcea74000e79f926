/* policy_json: rules, roles and groups as JSON. */

#include "fcgi/policy_json.h"

#include "lib/encode.h"

void
policy_rights_write(struct jsonw *json, struct arena *arena, const char *key,
	uint32_t actions)
{
	const char **names = policy_action_names(arena, actions);

	jsonw_open_arr(json, key);
	for (size_t i = 0; names[i] != NULL; i++)
		jsonw_str(json, NULL, names[i]);
	jsonw_close_arr(json);
}

static void
write_names(struct jsonw *json, const char *const *names)
{
	if (names == NULL) {
		jsonw_null(json, "names");
		return;
	}
	jsonw_open_arr(json, "names");
	for (size_t i = 0; names[i] != NULL; i++)
		jsonw_str(json, NULL, names[i]);
	jsonw_close_arr(json);
}

void
policy_rule_write(struct jsonw *json, struct arena *arena, const char *key,
	const struct policy_rule *rule)
{
	jsonw_open_obj(json, key);
	jsonw_str(json, "id", rule->id);
	jsonw_str(json, "subjectKind", rule->subject.kind);
	jsonw_str(json, "subject", rule->subject.name);
	jsonw_str(json, "effect", rule->deny ? "deny" : "allow");
	policy_rights_write(json, arena, "rights", rule->actions);
	jsonw_str(json, "dataSource",
		rule->datasource != NULL ? rule->datasource : "*");
	jsonw_str(json, "pattern", rule->names == NULL ? rule->pattern : NULL);
	write_names(json, rule->names);
	jsonw_str(json, "description", rule->description);
	jsonw_time(json, "created", rule->created_us);
	jsonw_close_obj(json);
}

const char *
policy_rule_text(struct arena *arena, const struct policy_rule *rule)
{
	struct jsonw *json = jsonw_in(arena);

	policy_rule_write(json, arena, NULL, rule);
	return json->out->data;
}

void
role_write(struct jsonw *json, const struct role *role)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", role->uuid);
	jsonw_str(json, "name", role->name);
	jsonw_str(json, "description", role->description);
	jsonw_bool(json, "builtIn", role->built_in);
	jsonw_int(json, "grants", role->grants);
	jsonw_time(json, "created", role->created_us);
	jsonw_close_obj(json);
}

const char *
role_text(struct arena *arena, const struct role *role)
{
	struct jsonw *json = jsonw_in(arena);

	role_write(json, role);
	return json->out->data;
}

void
role_grant_write(struct jsonw *json, const struct role_grant *grant)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", grant->id);
	jsonw_str(json, "subjectKind", grant->subject.kind);
	jsonw_str(json, "subject", grant->subject.name);
	jsonw_str(json, "dataSource",
		grant->datasource != NULL ? grant->datasource : "*");
	jsonw_close_obj(json);
}

const char *
role_grant_text(struct arena *arena, const struct role_grant *grant)
{
	struct jsonw *json = jsonw_in(arena);

	role_grant_write(json, grant);
	return json->out->data;
}

void
group_write(struct jsonw *json, const struct group *group)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", group->uuid);
	jsonw_str(json, "name", group->name);
	jsonw_str(json, "description", group->description);
	jsonw_bool(json, "requireSecondFactor", group->require_second_factor);
	jsonw_int(json, "members", group->members);
	jsonw_time(json, "created", group->created_us);
	jsonw_close_obj(json);
}

const char *
group_text(struct arena *arena, const struct group *group)
{
	struct jsonw *json = jsonw_in(arena);

	group_write(json, group);
	return json->out->data;
}

void
group_member_write(struct jsonw *json, const struct group_member *member)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "kind", member->kind);
	jsonw_str(json, "id", member->id);
	jsonw_str(json, "name", member->name);
	jsonw_str(json, "source", member->source);
	jsonw_close_obj(json);
}
