/*
 * policy_explain: why a subject may, or may not, do something to a variable.
 */
#ifndef FG_MODEL_POLICY_EXPLAIN_H
#define FG_MODEL_POLICY_EXPLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/policy.h"
#include "model/policy_subject.h"

extern const struct stmt policy_explain_stmts[];

/* What is asked. */
struct policy_question {
	struct policy_subject subject; /* no role: it is not somebody */
	const char *scopes; /* of its token; NULL = a session of the pages */
	enum policy_action action;
	int64_t datasource_id;
	const struct variable *variable; /* NULL = there is none of the name */
};

/* A rule that speaks of the question, and how it reaches the subject. */
struct policy_reason {
	const char *rule; /* UUID */
	bool deny;
	uint32_t actions;
	const char *datasource; /* UUID; NULL = every one */
	const char *object;     /* its pattern, or the name among its names */
	bool literal;           /* "object" is a name */
	const char *kind;       /* the rule's own subject */
	const char *name;
	const char *holder_kind; /* who holds the role; NULL = no role */
	const char *holder;
	const char *description;
};

enum policy_because {
	BECAUSE_ADMINISTRATOR, /* allowed by the account's flag */
	BECAUSE_RULE,          /* allowed by a rule */
	BECAUSE_DENIED,        /* a rule denies */
	BECAUSE_NO_RULE,       /* no rule allows */
	BECAUSE_NO_VARIABLE,
	BECAUSE_ACCESS,  /* the variable's access flag */
	BECAUSE_SCOPE,   /* the token's scopes */
	BECAUSE_LICENCE, /* the licence */
};

struct policy_answer {
	bool allowed;
	enum policy_because because;
	bool scope_covers;
	bool licensed;
	size_t count; /* of the rules; all that match, denying ones first */
	struct policy_reason *reasons;
};

/* Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc policy_explain(struct db *db, struct arena *arena,
	const struct policy_question *question, struct policy_answer *answer,
	struct fault *fault);

/* The policy of any subject, as with a token of these scopes.
 * Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc policy_load_subject(struct db *db, struct arena *arena,
	const struct policy_subject *subject, const char *scopes,
	const struct policy **policy, struct fault *fault);

/* "Denied"; and a sentence for people. */
const char *policy_because_name(enum policy_because because);
const char *policy_because_words(enum policy_because because);

#endif
