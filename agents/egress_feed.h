/*
 * egress_feed: the hub's feeds, as an egress agent asks for them.
 */
#ifndef FG_AGENTS_EGRESS_FEED_H
#define FG_AGENTS_EGRESS_FEED_H

#include "agents/egress_position.h"
#include "agents/hub.h"
#include "agents/mirror.h"

struct json_object;

struct egress_feed {
	struct hub *hub;
	struct mirror *mirror;
	struct buf body;
};

/* One page. Its members are good until the next request. */
struct egress_page {
	struct json_object *head; /* put by egress_page_close */
	const char *cursor;       /* NULL = it was the last one */
	bool more;
	int64_t now_us; /* of the hub */
	bool lost;      /* frames in between were dropped: from when to when */
	int64_t lost_from_us;
	int64_t lost_to_us;
	struct json_object *lost_of; /* list of datasources, part of "head" */
	const char *frames;          /* back to back */
	size_t frames_bytes;
};

void egress_page_close(struct egress_page *page);

/* All pages of what this node may read, into feed->mirror.
 * Fails: as hub_post; RC_UPSTREAM. */
MUST_CHECK enum rc egress_feed_variables(
	struct egress_feed *feed, struct fault *fault);

enum egress_wish {
	EGRESS_GO_ON,
	EGRESS_RESUME,   /* pass over what was dropped and say what it was; go
			  * on after a restore of the Data Storage */
	EGRESS_UNPACKED, /* begin with what the history does not have */
};

/*
 * Frames behind "cursor" ("" = a cursor from now on). Fails: as hub_post;
 * RC_CONFLICT FeedExpired or FeedRestored unless the wish is to resume;
 * RC_UPSTREAM.
 */
MUST_CHECK enum rc egress_feed_frames(struct egress_feed *feed,
	const char *cursor, int64_t bytes, enum egress_wish wish,
	struct egress_page *page, struct fault *fault);

/* The value that each variable has now, as one page of frames. */
MUST_CHECK enum rc egress_feed_values(struct egress_feed *feed,
	struct egress_page *page, struct fault *fault);

/* What is packed between position->fill_from_us and fill_to_us, both
 * inclusive, of fill_of, after the cursor position->fill ("" = begin). */
MUST_CHECK enum rc egress_feed_history(struct egress_feed *feed,
	const struct egress_position *position, struct egress_page *page,
	struct fault *fault);

/* The next changes of "alarms" or "events" behind "cursor" ("" = a cursor from
 * now on); page->head has the member "groups". Fails: likewise. */
MUST_CHECK enum rc egress_feed_list(struct egress_feed *feed, const char *list,
	const char *cursor, enum egress_wish wish, struct egress_page *page,
	struct fault *fault);

#endif
