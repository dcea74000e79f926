/*
 * hub_news: the thread that follows alarms and events in the database and
 * hands them to the live streams, and tells egress nodes that there are some,
 * whoever wrote them: this hub, another one, or fieldgrid-api.
 *
 * It reads what became visible since its last look, four times a second while
 * a stream listens, and at once when this hub has stored some.
 */
#ifndef FG_FCGI_HUB_NEWS_H
#define FG_FCGI_HUB_NEWS_H

#include "fcgi/hub.h"

struct hub_live;
struct hub_news;

struct hub_news *hub_news_new(struct hub *hub, struct hub_live *live);
void hub_news_free(struct hub_news *news);

/* Run until hub_news_stop, from another thread. */
void hub_news_run(struct hub_news *news);
void hub_news_stop(struct hub_news *news);

/* Alarm changes or events have just been committed; from any thread. */
void hub_news_wake(struct hub_news *news);

#endif
