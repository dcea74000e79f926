/* commands_parts: what the files of commands share, and nobody else. */
#ifndef FG_AGENTS_COMMANDS_PARTS_H
#define FG_AGENTS_COMMANDS_PARTS_H

#include <pthread.h>

#include "agents/command_journal.h"
#include "agents/command_order.h"
#include "agents/commands.h"
#include "agents/hub_time.h"

#define COMMANDS_BATCH_MAX 64 /* results that are told at once */

/* A command from the stream, or a result from the sampler, until our thread
 * comes to it. */
struct item {
	struct item *next;
	size_t length;
	char text[]; /* of the stream */
};

struct ending {
	struct ending *next;
	uint64_t token;
	struct command_outcome outcome;
	char message[256];
	char *text; /* of the value; NULL = it is none */
	bool begun;
	int64_t ended_us; /* steady clock */
};

/* What the sampler has. */
struct running {
	struct running *next;
	uint64_t token;
	uint8_t id[UUID_BYTES];
	int64_t until_us; /* steady clock */
};

struct commands {
	struct agent *agent;
	struct sampler *sampler;
	struct hub *hub;
	struct command_journal *journal;
	struct input **sorted;
	const atomic_bool *stop;
	struct arena *arena; /* of one round */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* steady clock */
	struct item *inbox, **inbox_end;
	size_t inbox_count;
	struct ending *endings, **endings_end;
	struct hub_time time;

	/* Of our thread alone. */
	struct running *running;
	uint64_t last_token;
	int64_t exchange_due_us; /* steady clock */
	int64_t tell_due_us;     /* steady clock */
	size_t untold;           /* results the hub does not have */
	size_t batch;            /* so many of them at once */
	struct buf body;
};

/* All of these are for the thread of commands_run, but for commands_done. */

/* Ask the hub for its clock. False when it did not answer. */
bool commands_exchange(struct commands *commands);

/* How long the command is good for surely; 0 or less: it may be too late. */
int64_t commands_time_left(
	struct commands *commands, const struct command_order *order);

/* For sampler_order.done: an order that the sampler had has ended. */
void commands_done(void *context, const struct sampler_result *result);

/* Write down how those have ended since the last call. */
void commands_note_endings(struct commands *commands);

/* Write down that a command has ended before it was begun. */
void commands_end_at_once(struct commands *commands,
	const struct command_order *order, const char *state, const char *code,
	const char *message);

/* Those that were begun before the last end of this agent, and nobody knows
 * how far. */
void commands_end_interrupted(struct commands *commands);

/* Tell the hub what it does not have yet. */
void commands_tell_results(struct commands *commands);

#endif
