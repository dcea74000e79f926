/*
 * controller_rights: who may what, for administrators, by REST: groups, roles,
 * rules, and the questions whether and why somebody may.
 *
 * Every change stands in the audit with what was before and after, in the
 * transaction of the change.
 */
#ifndef FG_FCGI_CONTROLLER_RIGHTS_H
#define FG_FCGI_CONTROLLER_RIGHTS_H

#include "lib/req.h"
#include "lib/resp.h"
#include "model/audit.h"

#define CONTROLLER_RIGHTS_BYTES_MAX ((size_t)512 * 1024)

/* controller_group.c: /api/v1/admin/groups… */
MUST_CHECK enum rc controller_group_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_group_create(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_group_get(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_group_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_group_remove(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_group_members(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_group_add(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_group_take(struct req *req, struct resp *resp);

/* controller_role.c: /api/v1/admin/roles… */
MUST_CHECK enum rc controller_role_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_role_create(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_role_get(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_role_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_role_remove(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_role_grants(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_role_give(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_role_take(struct req *req, struct resp *resp);

/* controller_rule.c: /api/v1/admin/rules… */
MUST_CHECK enum rc controller_rule_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_rule_create(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_rule_get(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_rule_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_rule_remove(struct req *req, struct resp *resp);

/* controller_policy.c: /api/v1/policy/… */
MUST_CHECK enum rc controller_policy_check(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_policy_explain(
	struct req *req, struct resp *resp);

/* --- what they share: controller_rights.c -----------------------------------
 */

/*
 * The end of a change: note it and commit. When "rc" is a reason not to, it is
 * returned, and the dispatcher rolls back. "kind" and "name" are the object's.
 */
MUST_CHECK enum rc controller_finish(struct req *req, enum rc rc,
	struct audit *what, const char *kind, const char *name);

/* A datasource of a body by its UUID; "*" and NULL are every one, 0.
 * Fails: RC_BAD_INPUT it is none. */
MUST_CHECK enum rc controller_datasource(
	struct req *req, const char *text, int64_t *id);

#endif
