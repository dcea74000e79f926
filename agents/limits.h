/*
 * limits: what an agent evaluates: the limits of its own CSV file, and those
 * that were engineered at the hub for its variables.
 *
 * The hub's are kept in a file, so that they count while the agent is cut off.
 * A limit of the CSV stands before one of the hub with the same name.
 */
#ifndef FG_AGENTS_LIMITS_H
#define FG_AGENTS_LIMITS_H

#include "agents/input.h"
#include "model/alarm_engine.h"
#include "model/alarm_limit.h"

struct limits {
	struct alarm_limit_list own;
	struct arena *arena; /* of the hub's; NULL = none were taken yet */
	struct alarm_limit_list hub;
	uint64_t version; /* counts up when anything here, or an id, changes */
};

/*
 * Read the limits CSV at "path"; "" is none.
 * Owns:  "own" lives in "arena".
 * Fails: RC_IO, or RC_BAD_INPUT with "path:line:column: why".
 */
MUST_CHECK enum rc limits_load(struct arena *arena, const char *path,
	const struct input_list *inputs, struct alarm_limit_list *own,
	struct fault *fault);

/*
 * Take over what the hub answered: {"limits": […]}. Limits of variables that
 * are not this agent's, or that do not fit them, are left out and counted.
 * Fails: RC_BAD_INPUT it is something else; nothing has changed.
 */
MUST_CHECK enum rc limits_take(struct limits *limits,
	const struct input_list *inputs, const char *text, size_t length,
	size_t *left_out, struct fault *fault);

void limits_free(struct limits *limits);

/*
 * What the engine evaluates: limits of the inputs that have an id, under the
 * input's place in the list, from 1. Returns how many; in "arena".
 */
size_t limits_targets(struct arena *arena, const struct limits *limits,
	const struct input_list *inputs, struct alarm_target **targets);

#endif
