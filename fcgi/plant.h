/*
 * plant: a datasource as the caller of one request sees it.
 */
#ifndef FG_FCGI_PLANT_H
#define FG_FCGI_PLANT_H

#include "lib/field.h"
#include "lib/req.h"
#include "model/datasource.h"
#include "model/policy.h"
#include "model/variable.h"

struct plant {
	struct datasource datasource;
	const struct policy *policy;
};

/*
 * The {ds} of the path, when the caller may read anything in it.
 * Fails: RC_NOT_FOUND, also for what the caller must not know of;
 *        RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc plant_find(struct req *req, struct plant *plant);

/* Is the variable there for this caller and this action? */
bool plant_shows(const struct plant *plant, const struct variable *variable,
	enum policy_action action);

/* Is "*" among the names, or are none given? */
bool plant_takes_all(const struct texts *names);

/*
 * The ids of the variables that match any of "names" (none given: all of them)
 * and for which the caller has the right. NULL items: it has it for all, so
 * that nobody needs a list.
 * Fails: RC_DENIED it has the right for nothing here; RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc plant_choose(struct req *req, const struct plant *plant,
	const struct texts *names, enum policy_action action, struct ints *ids);

#endif
