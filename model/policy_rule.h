/*
 * policy_rule: one rule: a subject may, or must not, do something to variables
 * of one datasource or of every one.
 */
#ifndef FG_MODEL_POLICY_RULE_H
#define FG_MODEL_POLICY_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/slice.h"
#include "model/policy.h"
#include "model/policy_subject.h"

/* Names in one rule; more are a pattern, or a second rule. */
#define POLICY_RULE_NAMES_MAX         1000
#define POLICY_RULE_DESCRIPTION_BYTES 500

extern const struct stmt policy_rule_stmts[];

struct policy_rule {
	const char *id; /* UUID */
	struct policy_subject subject;
	int64_t datasource_id;  /* 0 = every one */
	const char *datasource; /* its UUID; NULL = every one */
	const char *pattern;    /* "*" = every variable; "" with names */
	const char **names;     /* exactly these, NULL at the end; or NULL */
	uint32_t actions;       /* bits of enum policy_action */
	bool deny;
	const char *description;
	int64_t created_us;
};

struct policy_rule_list {
	size_t count;
	struct policy_rule *items;
};

/*
 * Store a new rule: subject.kind and .id, datasource_id, pattern or names,
 * actions, deny and description count. *id (NULL = not wanted) is its UUID.
 * Fails: RC_BAD_INPUT pattern, names or actions, with words; RC_DENIED the
 *        subject is a role that is built in.
 */
MUST_CHECK enum rc policy_rule_create(struct db *db, struct arena *arena,
	const struct policy_rule *rule, const char **id, struct fault *fault);

/* Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc policy_rule_find(struct db *db, struct arena *arena,
	const char *id, struct policy_rule *rule, struct fault *fault);

/* All but the subject, as rule->id. Fails: as policy_rule_create. */
MUST_CHECK enum rc policy_rule_change(struct db *db, struct arena *arena,
	const struct policy_rule *rule, struct fault *fault);

/* Fails: RC_DENIED it is part of a role that is built in. */
MUST_CHECK enum rc policy_rule_delete(struct db *db, struct arena *arena,
	const char *id, struct fault *fault);

/* Remove all rules of a subject; datasource_id 0 = for every datasource. */
MUST_CHECK enum rc policy_rule_clear(struct db *db,
	const struct policy_subject *subject, int64_t datasource_id,
	int64_t *removed, struct fault *fault);

/* NULL = not set. */
struct policy_rule_filter {
	const char *subject_kind;
	const char *subject;    /* by name */
	const char *datasource; /* UUID */
	const char *effect;     /* "allow" or "deny" */
	const char *search;     /* in pattern, description and subject */
};

/* Orders: "created", "subject". */
MUST_CHECK enum rc policy_rule_slice(struct db *db, struct arena *arena,
	const struct policy_rule_filter *filter, struct slice *slice,
	struct policy_rule_list *list, struct fault *fault);

#endif
