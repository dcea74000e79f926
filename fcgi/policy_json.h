/*
 * policy_json: rules, roles and groups as JSON: what REST answers, and what the
 * audit keeps as old and new value.
 */
#ifndef FG_FCGI_POLICY_JSON_H
#define FG_FCGI_POLICY_JSON_H

#include "lib/jsonw.h"
#include "model/group.h"
#include "model/policy_rule.h"
#include "model/role.h"

void policy_rule_write(struct jsonw *json, struct arena *arena, const char *key,
	const struct policy_rule *rule);
const char *policy_rule_text(
	struct arena *arena, const struct policy_rule *rule);

void policy_rights_write(struct jsonw *json, struct arena *arena,
	const char *key, uint32_t actions);

void role_write(struct jsonw *json, const struct role *role);
const char *role_text(struct arena *arena, const struct role *role);

void role_grant_write(struct jsonw *json, const struct role_grant *grant);
const char *role_grant_text(
	struct arena *arena, const struct role_grant *grant);

void group_write(struct jsonw *json, const struct group *group);
const char *group_text(struct arena *arena, const struct group *group);

void group_member_write(struct jsonw *json, const struct group_member *member);

#endif
