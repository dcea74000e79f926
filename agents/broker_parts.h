/*
 * broker_parts: what the files of a broker's connection share.
 *
 * broker.c is what others call, and what libmosquitto calls; broker_link.c is
 * the thread that keeps the connection up, reads and writes. Nobody else knows
 * of <mosquitto.h>.
 */
#ifndef FG_AGENTS_BROKER_PARTS_H
#define FG_AGENTS_BROKER_PARTS_H

#include <mosquitto.h>
#include <pthread.h>
#include <stdatomic.h>

#include "agents/broker.h"
#include "lib/clock.h"

#define BROKER_RETRY_MIN_US (CLOCK_SECOND_US / 2)

enum broker_link {
	BROKER_AWAY,
	BROKER_OPENING, /* TCP, TLS and CONNECT are under way */
	BROKER_UP,
};

struct broker {
	const struct broker_options *options;
	struct broker_calls calls;
	struct mosquitto *client;
	struct arena *arena;
	struct broker_address address;
	pthread_t thread;
	bool started;
	int wake; /* eventfd */
	atomic_bool poked;
	atomic_bool stopping;
	_Atomic(enum broker_link) link;

	/* The thread's own. */
	bool writable;       /* TCP has connected */
	int64_t opened_us;   /* steady clock: when the attempt began */
	int64_t retry_us;    /* steady clock: when to try again */
	int64_t delay_us;    /* what the next failure costs */
	int64_t told_us;     /* when trouble was logged */
	int64_t checked_us;  /* when keepalive was looked at */
	bool received;       /* a message, by the last packet read */
	bool waited;         /* for what was read to be settled */
	bool flowing;        /* meanwhile more came */
	bool more;           /* there is more to read, whatever poll says */
	const char *refused; /* why the broker did not accept us; a constant */
};

/* The thread: keeps the connection up until broker->stopping. */
void *broker_link_run(void *broker);

#endif
