/*
 * policy: what a caller may do to which variables. Deny by default; an
 * explicit deny wins; an administrator may everything.
 */
#ifndef FG_MODEL_POLICY_H
#define FG_MODEL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/caller.h"

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

struct policy;

extern const struct stmt policy_stmts[];

/* The rules of one caller; lives in "arena".
 * Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc policy_load(struct db *db, struct arena *arena,
	const struct caller *caller, const struct policy **policy,
	struct fault *fault);

/* May it be done to this variable? */
bool policy_allows(const struct policy *policy, int64_t datasource_id,
	const char *variable, enum policy_action action);

/* May it be done to anything in the datasource? When not, the datasource does
 * not exist for this caller. */
bool policy_touches(const struct policy *policy, int64_t datasource_id,
	enum policy_action action);

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

/* May the caller administer the grid?
 * Fails: RC_DENIED RightMissing names the right. */
MUST_CHECK enum rc policy_check_administrator(
	const struct policy *policy, struct fault *fault);

/* A name against a pattern of "*" (any run) and "?" (any one character). */
bool policy_matches(const char *pattern, const char *name);

/* One rule, for those who administer. */
struct policy_rule {
	enum caller_kind kind; /* CALLER_USER or CALLER_CLIENT */
	int64_t subject_id;
	int64_t datasource_id; /* 0 = every one */
	const char *pattern;   /* "*" = every variable */
	int actions;           /* bits of enum policy_action */
	bool deny;
};

/* "ReadAll,WriteVariables" as bits. Fails: RC_BAD_INPUT names the wrong one. */
MUST_CHECK enum rc policy_actions_parse(
	const char *text, int *actions, struct fault *fault);

MUST_CHECK enum rc policy_grant(
	struct db *db, const struct policy_rule *rule, struct fault *fault);

/* Remove all rules of a subject; datasource_id 0 = for every datasource. */
MUST_CHECK enum rc policy_clear(struct db *db, enum caller_kind kind,
	int64_t subject_id, int64_t datasource_id, struct fault *fault);

#endif
