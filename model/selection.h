/*
 * selection: who alone may write a variable for a moment.
 *
 * Select before operate, as control rooms know it: a selection is exclusive,
 * good for one command, and ends by itself on the hub's steady clock. A
 * variable may demand it of everybody.
 */
#ifndef FG_MODEL_SELECTION_H
#define FG_MODEL_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "model/command.h"

#define SELECTION_EXPIRES_MS     30000
#define SELECTION_EXPIRES_MS_MIN 1000
#define SELECTION_EXPIRES_MS_MAX 300000

extern const struct stmt selection_stmts[];

struct selection {
	uint8_t id[UUID_BYTES];
	int32_t variable_id;
	const char *subject;
	const char *actor;  /* for people */
	int64_t expires_us; /* hub's clock */
};

/*
 * Select a variable; one's own selection is renewed, with a new id.
 * Fails: RC_CONFLICT SelectedByAnother names who; RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc selection_make(struct db *db, struct arena *arena,
	const struct command_clock *clock, const struct selection *selection,
	struct fault *fault);

/* Give one's own up. Fails: RC_NOT_FOUND SelectionNotFound. */
MUST_CHECK enum rc selection_drop(struct db *db, const uint8_t id[UUID_BYTES],
	const char *subject, struct fault *fault);

/* What a command wants of the selection of its variable. */
struct selection_use {
	int32_t variable_id;
	bool required;     /* by the variable */
	const uint8_t *id; /* that the client shows; NULL = none */
	const char *subject;
};

/*
 * Use up the selection that the client shows; without one, see that nobody
 * else has selected the variable.
 * Fails: RC_CONFLICT SelectionEnded, SelectionRequired, SelectedByAnother;
 *        RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc selection_take(struct db *db, struct arena *arena,
	const struct command_clock *clock, const struct selection_use *use,
	struct fault *fault);

/* Whether a variable demands it. */
MUST_CHECK enum rc selection_require(
	struct db *db, int32_t variable_id, bool required, struct fault *fault);

#endif
