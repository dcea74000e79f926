/*
 * agent: what the sampling and the sending thread of an agent share.
 *
 * The sampler reads the driver and appends frames to the spool; the sender
 * takes them from there to the hub. Neither waits for the other, except that
 * the first start of all waits until the hub has given the variables' ids.
 */
#ifndef FG_AGENTS_AGENT_H
#define FG_AGENTS_AGENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "agents/input.h"
#include "agents/limits.h"
#include "agents/notice.h"
#include "agents/place.h"
#include "agents/spool.h"
#include "lib/encode.h"

struct agent {
	uint8_t datasource[UUID_BYTES];
	struct input_list list; /* ids under "lock", all else constant */
	struct limits limits;   /* under "lock", but for the own ones */
	struct spool *spool;
	pthread_mutex_t storing; /* held while a frame gets its number */
	struct notices notices;
	const char *spool_folder;
	char place[PLACE_BYTES]; /* of that folder */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* steady clock */
	bool ready;             /* ids are known and the spool has begun */
	bool stopping;          /* sampler: flush and return */
	bool finished; /* the driver has no more: send the rest, then end */
	bool failed;   /* end with an error */
	bool refused;  /* the hub refused a frame: tell all alarms again */
	bool sent_all; /* sender: has returned */
	int64_t send_until_us; /* steady clock; sender: stop then. 0 = go on */
	atomic_bool cut;       /* ends a request that is under way */
	atomic_bool beat_now;  /* the hub has something to tell */
	pthread_t main_thread;
};

void agent_init(struct agent *agent);
void agent_destroy(struct agent *agent);

/* Wait for a change, at most so long; false when the time is over. */
bool agent_wait(struct agent *agent, int64_t timeout_us);

/* The same, but do not wait at all when *flag is true. */
void agent_wait_for(struct agent *agent, const bool *flag, int64_t timeout_us);

/* Turn one of the flags above to true and wake whoever waits. */
void agent_set(struct agent *agent, bool *flag);
bool agent_is(struct agent *agent, const bool *flag);

/* Make main end the agent. */
void agent_end(struct agent *agent, bool *why);

/*
 * The ids of an earlier run, from the spool's folder. Returns how many inputs
 * have one. A missing or unreadable file only means that none is known.
 */
size_t agent_load_ids(struct agent *agent);

/* Take over ids that the hub gave, and keep them for the next start. */
void agent_keep_ids(struct agent *agent, const struct input_list *given);

#endif
