/*
 * hub_feed_news: egress nodes are told on their streams that there is
 * something to fetch.
 *
 * What is noted here goes out as the event "feed", {"values":true,…}, to the
 * nodes that subscribe to the datasource: at once when it was quiet, else at
 * most ten times a second to each. No query: it costs a frame next to nothing,
 * and nothing at all while nobody subscribes.
 */
#ifndef FG_FCGI_HUB_FEED_NEWS_H
#define FG_FCGI_HUB_FEED_NEWS_H

#include "fcgi/hub.h"

enum hub_feed_kind {
	HUB_FEED_VALUES = 1,
	HUB_FEED_ALARMS = 2,
	HUB_FEED_EVENTS = 4,
	HUB_FEED_ALL = 7,
};

/* For all of them, as a datasource. */
#define HUB_FEED_ANY 0

struct hub_feed_news;

struct hub_feed_news *hub_feed_news_new(void);
void hub_feed_news_free(struct hub_feed_news *news);

/* Something of the datasource was committed; "kinds" of enum hub_feed_kind.
 * From any thread, under the image's lock or not. */
void hub_feed_news_note(struct hub *hub, int32_t datasource_id, unsigned kinds);

/* For the live thread: put what is due into the streams. Returns after how
 * many us to call it again; 0 = not before it is woken. */
int64_t hub_feed_news_flush(struct hub *hub);

#endif
