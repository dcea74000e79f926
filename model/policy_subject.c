/* policy_subject: whom a rule or a grant is about. */

#include "model/policy_subject.h"

#include <string.h>

enum { STMT_FIND };

const struct stmt policy_subject_stmts[] = {
	/* $1 kind $2 name or uuid */
	[STMT_FIND] = {"policy_subject_find", "tt",
		"SELECT id, name, administrator FROM account"
		" WHERE $1 = 'user'"
		"   AND (name = lower($2) OR uuid::text = lower($2))"
		" UNION ALL "
		"SELECT id, name, false FROM user_group"
		" WHERE $1 = 'group'"
		"   AND (name = $2 OR uuid::text = lower($2))"
		" UNION ALL "
		"SELECT id, name, false FROM role"
		" WHERE $1 = 'role' AND (name = $2 OR uuid::text = lower($2))"
		" UNION ALL "
		"SELECT id, client_id, false FROM client"
		" WHERE $1 = 'client' AND client_id = $2"
		" UNION ALL "
		"SELECT id, name, false FROM node"
		" WHERE $1 = 'node' AND (name = $2 OR uuid::text = lower($2))"
		" UNION ALL "
		"SELECT 0, 'everyone', false WHERE $1 = 'everyone'"
		" LIMIT 1"},
	STMT_END,
};

const char *const policy_subject_kinds[] = {
	"everyone", "user", "group", "role", "client", "node", NULL};

static const char *
find_kind(const char *kind)
{
	for (size_t i = 0; policy_subject_kinds[i] != NULL; i++)
		if (strcmp(policy_subject_kinds[i], kind) == 0)
			return policy_subject_kinds[i];
	return NULL;
}

enum rc
policy_subject_find(struct db *db, struct arena *arena, const char *kind,
	const char *name, struct policy_subject *subject, struct fault *fault)
{
	const char *known = find_kind(kind);
	struct rows *rows = NULL;
	enum rc rc;

	if (known == NULL)
		return fault_tell(fault, RC_BAD_INPUT, "UnknownSubject",
			"subjectKind",
			"A subject is everyone, or a user, group, role, client "
			"or node.");
	rc = db_find(db, arena, &policy_subject_stmts[STMT_FIND],
		PARAMS(P_TEXT(known), P_TEXT(name)), &rows, fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, rc, "SubjectNotFound", "subject",
			"There is no %s \"%.128s\".", known, name);
	if (rc != RC_OK)
		return rc;
	*subject = (struct policy_subject){
		.kind = known,
		.id = rows_int(rows, 0, 0),
		.name = rows_text(rows, 0, 1),
		.administrator = rows_bool(rows, 0, 2),
	};
	return RC_OK;
}
