/*
 * user_link: who an outside person is here.
 *
 * A directory or an identity provider says who somebody is; the account here
 * carries rights, sessions and history. Both are bound by (issuer, subject),
 * which never change, and never by name or e-mail address, which others may
 * be given later.
 */
#ifndef FG_MODEL_USER_LINK_H
#define FG_MODEL_USER_LINK_H

#include "lib/db.h"
#include "lib/field.h"
#include "model/user.h"

#define USER_LINK_GROUPS_MAX 1000

extern const struct stmt user_link_stmts[];

struct outside_user {
	const char *source;    /* account.source: "ldap:NAME", "oidc:NAME" */
	const char *issuer;    /* who vouches: the source, or the iss claim */
	const char *subject;   /* what never changes there */
	const char *name;      /* wished for here; used when it is free */
	const char *full_name; /* NULL or "" = unknown */
	const char *email;
	/* Every group there that the user is in, nested ones included, as
	 * group_mapping names them. */
	struct texts groups;
	bool groups_unknown; /* the source did not say: keep what there was */
	int64_t good_s; /* ask the source again after; 0 = at the next login */
};

/*
 * Find the account of an outside person, or create it; take over names and
 * groups. Its name is "name", made fit, or "name@NAME" of the source when
 * somebody has it. An account of another source that is linked to the person
 * keeps its names and takes over the groups. Writes the audit of what it
 * changes. One transaction, a part of the one that is open.
 * Fails:  RC_UNAUTHENTICATED the account is disabled; RC_BAD_INPUT issuer,
 *         subject or name are empty or too long.
 */
MUST_CHECK enum rc user_link_adopt(struct db *db, struct arena *arena,
	const struct outside_user *person, struct user *user,
	struct fault *fault);

/*
 * The source does not know this person any more, or has disabled it; only
 * source, issuer and subject count. The groups that it gave end, and sessions
 * and tokens too when the account is of that source; user_link_adopt lets the
 * person in again. Nothing happens when it was lost before.
 */
MUST_CHECK enum rc user_link_lose(struct db *db, struct arena *arena,
	const struct outside_user *person, struct fault *fault);

#endif
