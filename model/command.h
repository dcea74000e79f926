/*
 * command: a value that somebody wants written to a variable, and what came
 * of it.
 *
 * A command is on record before it is sent, and what has been recorded stands:
 * of its states only "sent" is followed by another. Its expiry is counted on
 * the steady clock of the machine of the hub that was asked (fcgi/hub_clock.h).
 */
#ifndef FG_MODEL_COMMAND_H
#define FG_MODEL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"
#include "model/audit.h"
#include "model/sample.h"

#define COMMAND_BATCH_MAX         1000
#define COMMAND_COMMENT_BYTES_MAX 1024
#define COMMAND_EXPIRES_MS        10000 /* when nothing is asked for */
#define COMMAND_EXPIRES_MS_MIN    100
#define COMMAND_EXPIRES_MS_MAX    300000
/* A command that is begun in time may be confirmed so much later. */
#define COMMAND_GRACE_US INT64_C(1000000)

#define COMMAND_SENT      "sent"
#define COMMAND_CONFIRMED "confirmed"
#define COMMAND_FAILED    "failed"
#define COMMAND_REFUSED   "refused"
#define COMMAND_EXPIRED   "expired"

extern const struct stmt command_stmts[];

/* Values are JSON; NULL = none. */
struct command {
	uint8_t id[UUID_BYTES];
	int64_t number; /* the higher, the later */
	int32_t datasource_id;
	int32_t variable_id;
	int32_t node_id; /* 0 = it was not sent to any */
	const char *variable;
	const char *node; /* NULL = none */
	const char *value;
	const char *expected;
	const char *old_value; /* when it was written, as far as known */
	const char *comment;
	int64_t expires_ms;
	const char *state;
	const char *code; /* errorCode; "" = none */
	const char *message;
	const char *late_state; /* NULL = none */
	/* What the device has since, as it confirmed: JSON; NULL = not told. */
	const char *new_value;
	uint64_t new_status;
	int64_t new_us;
	uint8_t run[UUID_BYTES]; /* the process of the hub that was asked */
	const char *actor_kind;
	const char *actor;
	const char *subject;
	const char *client;
	const char *address;
	int64_t created_us;
	int64_t changed_us;
};

struct command_list {
	size_t count;
	struct command *items;
};

/* A point on the hub's clock. */
struct command_clock {
	const char *hub; /* its name */
	const char *run; /* its process, a UUID */
	const uint8_t *boot;
	int64_t now_us;
};

/* --- where a variable is written -------------------------------------------
 */

struct command_target {
	int32_t variable_id;
	bool select_first;
	size_t count;
	const int32_t *node_ids; /* that may be asked, the best one first */
	/* Of the hubs that have their streams; "" = none. */
	const char *const *runs;
};

/* The nodes that have declared the variables and may publish them, in the
 * order of "variable_ids". Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc command_targets(struct db *db, struct arena *arena,
	const int32_t *variable_ids, size_t count,
	struct command_target *targets, struct fault *fault);

/* A node has declared these variables. Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc command_note_node(struct db *db, int64_t node_id,
	const int32_t *variable_ids, size_t count, struct fault *fault);

/* --- life of a command -----------------------------------------------------
 */

/*
 * Record commands of one datasource as they are sent, or as they were refused
 * ("state", "code" and "message" say so); with the same expiry for all. Their
 * events are written too. Needs: an open transaction.
 * Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc command_create(struct db *db, struct arena *arena,
	const struct audit_actor *actor, const struct command_clock *clock,
	const struct command *items, size_t count, struct fault *fault);

/* What the plant said about a command. */
struct command_result {
	uint8_t id[UUID_BYTES];
	int64_t node_id; /* who says it */
	const char *state;
	const char *code;
	const char *message;
	const char *old_value; /* JSON; NULL = not known */
	const char *new_value; /* JSON; NULL = not told */
	uint64_t new_status;
	int64_t new_us; /* CLOCK_NEVER = not told */
};

/*
 * Record a result, once and in time, with its event; "command" is what is on
 * record then. Needs: an open transaction.
 * Fails: RC_NOT_FOUND CommandNotFound: there is none, or it is another node's;
 *        RC_CONFLICT CommandOver: it has a result already, or is over: what
 *        came too late is noted beside it; RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc command_finish(struct db *db, struct arena *arena,
	const struct command_clock *clock, const struct command_result *result,
	struct command *command, struct fault *fault);

/*
 * End commands that were not confirmed in time, with their events; those of
 * other processes a little later, should these have ended. What was asked of a
 * hub on another machine, or before this one was started, is over by the
 * database's clock. Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc command_expire(struct db *db, struct arena *arena,
	const struct command_clock *clock, struct command_list *expired,
	struct fault *fault);

/* --- reading ---------------------------------------------------------------
 */

/* Fails: RC_NOT_FOUND CommandNotFound; RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc command_find(struct db *db, struct arena *arena,
	const uint8_t id[UUID_BYTES], struct command *command,
	struct fault *fault);

#endif
