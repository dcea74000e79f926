/*
 * egress_news: the hub's word, on the node's stream, that there is something
 * to fetch.
 *
 * A thread follows the stream. What it hears is kept until egress_news_wait
 * takes it, so nothing is missed that is told between two waits.
 */
#ifndef FG_AGENTS_EGRESS_NEWS_H
#define FG_AGENTS_EGRESS_NEWS_H

#include <stdint.h>

#include "agents/hub.h"

enum egress_kind {
	EGRESS_VALUES = 1,
	EGRESS_ALARMS = 2,
	EGRESS_EVENTS = 4,
	EGRESS_ALL = 7,
};

struct egress_news;

/* "options" as for node_stream_open; begins to follow. Fails: as that. */
MUST_CHECK enum rc egress_news_open(const struct hub_options *options,
	struct egress_news **news, struct fault *fault);

/* options->stop is set: ends a wait that is under way. */
void egress_news_end(struct egress_news *news);

/* Needs: egress_news_end. Blocks: until the thread has ended, at most two
 * seconds. NULL is allowed. */
void egress_news_close(struct egress_news *news);

/* What there is, of enum egress_kind; waits for it at most so long. */
unsigned egress_news_wait(struct egress_news *news, int64_t most_us);

#endif
