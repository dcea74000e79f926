/*
 * policy_cache: compiled policies of the subjects that ask often.
 *
 * An entry is good for one epoch of its subject and one version of the policy.
 * The version is asked for once a second, and at once after
 * policy_cache_forget, which whoever hears "fieldgrid_rights" calls. Safe for
 * several threads.
 */
#ifndef FG_MODEL_POLICY_CACHE_H
#define FG_MODEL_POLICY_CACHE_H

#include "model/policy.h"

struct policy_cache;

struct policy_cache *policy_cache_new(void);
void policy_cache_free(struct policy_cache *cache);

/* The policy of "caller"; valid until "arena" is reset.
 * Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc policy_cache_get(struct policy_cache *cache, struct db *db,
	struct arena *arena, const struct caller *caller,
	const struct policy **policy, struct fault *fault);

/* Ask for the version anew before anybody is answered. */
void policy_cache_forget(struct policy_cache *cache);

#endif
