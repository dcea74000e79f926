/* egress_run: from the hub's feeds to the outlet, until told to end. */
#ifndef FG_AGENTS_EGRESS_RUN_H
#define FG_AGENTS_EGRESS_RUN_H

#include <stdatomic.h>

#include "agents/egress_conf.h"
#include "agents/egress_feed.h"
#include "agents/egress_news.h"
#include "agents/egress_position.h"
#include "agents/renewal.h"

struct egress_writes;

struct egress {
	const struct egress_conf *conf;
	struct egress_feed feed;
	struct egress_position position;
	struct renewal renewal;
	void *outlet;                 /* state of conf->outlet */
	struct egress_writes *writes; /* NULL = none are taken */
	struct egress_news *news;
	unsigned due; /* what to ask for, of enum egress_kind */
	const atomic_bool *stop;
	struct arena *scratch;
	bool connected;
	bool broken;         /* outlet and position may be ahead of the disk */
	bool asked;          /* for what is unknown in the page at hand */
	uint64_t values;     /* put since the start */
	uint64_t unknown;    /* variables of a page that we do not know */
	int64_t beat_due_us; /* steady clock, as all times here */
	int64_t poll_due_us;
	unsigned failures; /* in a row */
	char last_failure[256];
	int64_t reminded_us;
};

/* Everything is open. Returns when egress->stop is set. */
void egress_run(struct egress *egress);

#endif
