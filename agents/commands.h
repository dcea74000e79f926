/*
 * commands: values that the hub wants written, each once or not at all.
 *
 * A command is checked, written into the journal and to the disk, and only
 * then begun, by the sampler, as long as it is good on the hub's clock. Its
 * result goes into the journal too and is told to the hub until the hub has
 * it, over restarts.
 */
#ifndef FG_AGENTS_COMMANDS_H
#define FG_AGENTS_COMMANDS_H

#include "agents/agent.h"
#include "agents/hub.h"
#include "agents/sampler.h"

struct commands;

/*
 * The journal is in the spool's folder. "options" as for hub_open; "stop"
 * must not be NULL. Fails: RC_IO, as hub_open.
 */
MUST_CHECK enum rc commands_open(struct agent *agent, struct sampler *sampler,
	const struct hub_options *options, struct commands **commands,
	struct fault *fault);
/* After the sampler has been closed, which tells its last results. */
void commands_close(struct commands *commands);

/* Events of the hub's stream, for its handlers: "command" and "time". */
void commands_take(void *commands, const char *text, size_t length);
void commands_take_time(void *commands, const char *text, size_t length);

/* Begin commands and tell results, until "stop". */
void commands_run(struct commands *commands);

#endif
