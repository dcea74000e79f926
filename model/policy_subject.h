/*
 * policy_subject: whom a rule or a grant is about: everyone, or a user, group,
 * role, client or node. Everyone is every caller who is known, not the public.
 */
#ifndef FG_MODEL_POLICY_SUBJECT_H
#define FG_MODEL_POLICY_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"

extern const struct stmt policy_subject_stmts[];

struct policy_subject {
	const char *kind; /* as in the column subject_kind */
	int64_t id;       /* 0 of everyone */
	const char *name;
	bool administrator; /* an account with that flag */
};

/* The kinds, NULL at the end. */
extern const char *const policy_subject_kinds[];

/*
 * By kind and name or UUID; the name of everyone does not matter.
 * Fails: RC_BAD_INPUT the kind; RC_NOT_FOUND with words.
 */
MUST_CHECK enum rc policy_subject_find(struct db *db, struct arena *arena,
	const char *kind, const char *name, struct policy_subject *subject,
	struct fault *fault);

/* SQL: the name of subject (kind, id) of a row. */
#define POLICY_SUBJECT_NAME(kind, id)                                          \
	" CASE " kind                                                          \
	" WHEN 'user' THEN (SELECT name FROM account AS s WHERE s.id = " id    \
	") WHEN 'group' THEN"                                                  \
	" (SELECT name FROM user_group AS s WHERE s.id = " id                  \
	") WHEN 'role' THEN (SELECT name FROM role AS s WHERE s.id = " id      \
	") WHEN 'client' THEN"                                                 \
	" (SELECT client_id FROM client AS s WHERE s.id = " id                 \
	") WHEN 'node' THEN (SELECT name FROM node AS s WHERE s.id = " id      \
	") ELSE 'everyone' END "

#endif
