/*
 * command_order: a command as the hub's stream carries it, and its result as
 * the hub takes it. doc/AGENT.md describes both.
 */
#ifndef FG_AGENTS_COMMAND_ORDER_H
#define FG_AGENTS_COMMAND_ORDER_H

#include "agents/input.h"
#include "agents/sampler.h"
#include "lib/encode.h"
#include "lib/jsonw.h"

/* Texts and values live in the arena. */
struct command_order {
	uint8_t id[UUID_BYTES];
	uint8_t boot[UUID_BYTES]; /* of the clock of the next two */
	int64_t sent_us;
	int64_t expires_us;
	uint8_t datasource[UUID_BYTES];
	const char *variable;
	struct json_object *value;
	struct json_object *expected; /* NULL = any */
};

/* Fails: RC_BAD_INPUT: it cannot be understood. */
MUST_CHECK enum rc command_order_read(struct arena *arena, const char *text,
	size_t length, struct command_order *order, struct fault *fault);

/* How a command ended. */
struct command_outcome {
	const char *state; /* confirmed, failed, refused or expired */
	const char *code;  /* errorCode; "" = none */
	const char *message;
	int64_t time_us; /* wall clock */
	/* What the variable had when nothing was written, and what it has since
	 * it was; VALUE_NONE = not known. */
	struct value old_value;
	struct value value;
	uint64_t status; /* of value */
};

/* The result as an object, in "out". */
void command_outcome_write(struct buf *out, const uint8_t id[UUID_BYTES],
	const struct command_outcome *outcome);

/* What a result of the sampler means; text is that of the result. */
struct command_outcome command_outcome_of(const struct sampler_result *result);

#endif
