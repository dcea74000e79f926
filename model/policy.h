/*
 * policy: what a caller may do to which variables. Deny by default; an
 * explicit deny wins. What holds in the end is
 *
 *	the rules that reach the caller     (model/policy_rule.h, role.h,
 *group.h) and the scopes of its token and the variable's access flag and the
 *licence                     (model/licence.h)
 *
 * An account with the flag "administrator" is allowed everything by itself;
 * a rule that denies binds it as well, except that it stays an administrator.
 */
#ifndef FG_MODEL_POLICY_H
#define FG_MODEL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/req.h"
#include "model/caller.h"
#include "model/policy_index.h"
#include "model/variable.h"

enum policy_action {
	POLICY_READ_VALUES = 1,
	POLICY_READ_HISTORY = 2,
	POLICY_WRITE_VALUES = 4,
	POLICY_READ_ALARMS = 8,
	POLICY_ACKNOWLEDGE_ALARMS = 16,
	POLICY_READ_EVENTS = 32,
	POLICY_READ_REPORTS = 64,
	POLICY_CONFIGURE = 128,
	POLICY_ADMINISTER = 256,
};

/* The bits of the original product's ReadAll. */
#define POLICY_READ_ALL                                                        \
	(POLICY_READ_VALUES | POLICY_READ_HISTORY | POLICY_READ_ALARMS |       \
		POLICY_READ_EVENTS | POLICY_READ_REPORTS)

/* What "*" means among rights: never to configure or to administer. */
#define POLICY_ANY                                                             \
	(POLICY_READ_ALL | POLICY_WRITE_VALUES | POLICY_ACKNOWLEDGE_ALARMS)

#define POLICY_EVERY (POLICY_ANY | POLICY_CONFIGURE | POLICY_ADMINISTER)

struct policy;

extern const struct stmt policy_stmts[];

/* The rules of one caller; lives in "arena". Handlers take policy_of, which
 * keeps what was compiled. Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc policy_load(struct db *db, struct arena *arena,
	const struct caller *caller, const struct policy **policy,
	struct fault *fault);

/* The policy of req->caller; valid until req->arena is reset.
 * Fails: as policy_load. */
MUST_CHECK enum rc policy_of(struct req *req, const struct policy **policy);

/* --- deciding ------------------------------------------------------------- */

/* May it be done to this variable? */
bool policy_may(const struct policy *policy, const struct variable *variable,
	enum policy_action action);

/*
 * As policy_may, in words.
 * Fails: RC_NOT_FOUND: it may not even be read, so it is not there;
 *        RC_DENIED RightMissing names the right, InsufficientScope the token's
 *        scope, AccessRefused the variable's access flag, NotLicensed.
 */
MUST_CHECK enum rc policy_check(const struct policy *policy,
	const struct variable *variable, enum policy_action action,
	struct fault *fault);

/* Is it there for this caller: may anything of it be read? */
bool policy_knows(const struct policy *policy, const struct variable *variable);

/* Rules and scopes alone, for what is told by a name without a variable. */
bool policy_allows(const struct policy *policy, int64_t datasource_id,
	const char *variable, enum policy_action action);

/* May it be done to anything in the datasource? */
bool policy_touches(const struct policy *policy, int64_t datasource_id,
	enum policy_action action);

/* May it be done to everything in the datasource, as far as access flags let
 * it? Then names need not be asked for one by one. */
bool policy_covers(const struct policy *policy, int64_t datasource_id,
	enum policy_action action);

/* policy_touches in words, for a list that is filtered afterwards.
 * Fails: RC_DENIED RightMissing or InsufficientScope. */
MUST_CHECK enum rc policy_check_list(const struct policy *policy,
	int64_t datasource_id, enum policy_action action, struct fault *fault);

/* May anything in the datasource be read? When not, it does not exist. */
bool policy_sees(const struct policy *policy, int64_t datasource_id);

/* May the caller administer the grid?
 * Fails: RC_DENIED RightMissing or InsufficientScope. */
MUST_CHECK enum rc policy_check_administrator(
	const struct policy *policy, struct fault *fault);

/* What the scopes of a token let it do at most; everything for a session. */
uint32_t policy_scope_actions(const struct caller *caller);

/* --- names ---------------------------------------------------------------- */

/* "ReadAll,WriteVariables" as bits. Fails: RC_BAD_INPUT names the wrong one. */
MUST_CHECK enum rc policy_actions_parse(
	const char *text, uint32_t *actions, struct fault *fault);

/* The name of one action, "WriteVariables". */
const char *policy_action_name(enum policy_action action);

/* The names of the bits, NULL at the end; lives in "arena". */
const char **policy_action_names(struct arena *arena, uint32_t actions);

/* The groups, nested ones as well, and the roles of a subject, by name; both
 * lists end with NULL. */
struct policy_names {
	const char **groups;
	const char **roles;
};

/* For the claims groups and roles, and for the log-in of other web tools.
 * Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc policy_names(struct db *db, struct arena *arena,
	enum caller_kind kind, int64_t id, struct policy_names *names,
	struct fault *fault);

/* --- for policy_cache and policy_explain
 * -------------------------------------------------
 */

/* What the database says of a subject, compiled, and the number that changes
 * when any of it does. */
MUST_CHECK enum rc policy_compile(struct db *db, struct arena *arena,
	const char *kind, int64_t id, const struct policy_index **index,
	struct fault *fault);
/* "user", "client" or "node"; "" for nobody. */
const char *policy_kind(enum caller_kind kind);
MUST_CHECK enum rc policy_version(struct db *db, struct arena *arena,
	int64_t *version, struct fault *fault);

/* The policy of a caller by what was compiled for its subject. */
const struct policy *policy_wrap(struct arena *arena,
	const struct caller *caller, const struct policy_index *index);

#endif
