/* hub_news: the thread that follows alarms and events in the database. */

#include "fcgi/hub_news.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgi/hub_feed_news.h"
#include "fcgi/hub_live.h"
#include "fcgi/hub_node_stream.h"
#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jsonw.h"
#include "lib/log.h"
#include "lib/memory.h"
#include "model/alarm.h"
#include "model/alarm_json.h"
#include "model/event_follow.h"
#include "model/event_json.h"

#define LOOK_US (CLOCK_SECOND_US / 4)
#define IDLE_US CLOCK_SECOND_US
#define PAUSE_US                                                               \
	(CLOCK_SECOND_US / 20) /* between looks, however often woken           \
				*/
/* More at once is told as lost: streams begin anew and read the lists. */
#define ROWS_MAX LIVE_NEWS_MAX

struct hub_news {
	struct hub *hub;
	struct hub_live *live;
	struct db *db;
	struct arena *arena; /* reset after every look */
	struct fault fault;
	char *alarms_seen; /* snapshots of the last looks; NULL = none yet */
	char *events_seen;
	int64_t era; /* in which they were noted */
	bool lost;   /* the database, since the last good look */
	pthread_mutex_t lock;
	pthread_cond_t change; /* by the steady clock */
	bool woken;
	bool stop;
};

struct hub_news *
hub_news_new(struct hub *hub, struct hub_live *live)
{
	struct hub_news *news = memory_new(1, sizeof(*news));
	pthread_condattr_t attributes;

	news->hub = hub;
	news->live = live;
	news->arena = arena_new();
	pthread_mutex_init(&news->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&news->change, &attributes);
	pthread_condattr_destroy(&attributes);
	return news;
}

void
hub_news_free(struct hub_news *news)
{
	if (news == NULL)
		return;
	pthread_cond_destroy(&news->change);
	pthread_mutex_destroy(&news->lock);
	free(news->alarms_seen);
	free(news->events_seen);
	arena_free(news->arena);
	free(news);
}

/* --- waking --------------------------------------------------------------- */

static void
tell(struct hub_news *news, bool *what)
{
	pthread_mutex_lock(&news->lock);
	*what = true;
	pthread_cond_signal(&news->change);
	pthread_mutex_unlock(&news->lock);
}

void
hub_news_wake(struct hub_news *news)
{
	tell(news, &news->woken);
}

void
hub_news_stop(struct hub_news *news)
{
	tell(news, &news->stop);
}

static struct timespec
after(int64_t wait_us)
{
	int64_t time_us = clock_steady_us() + wait_us;

	return (struct timespec){
		time_us / CLOCK_SECOND_US, time_us % CLOCK_SECOND_US * 1000};
}

/* Until it is woken, told to stop, or "most_us" have passed; but not before
 * "least_us". False when it shall stop. */
static bool
wait_for_more(struct hub_news *news, int64_t least_us, int64_t most_us)
{
	struct timespec least = after(least_us);
	struct timespec most = after(most_us);
	bool stop;

	pthread_mutex_lock(&news->lock);
	while (!news->stop &&
		pthread_cond_timedwait(&news->change, &news->lock, &least) == 0)
		;
	while (!news->stop && !news->woken &&
		pthread_cond_timedwait(&news->change, &news->lock, &most) == 0)
		;
	news->woken = false;
	stop = news->stop;
	pthread_mutex_unlock(&news->lock);
	return !stop;
}

/* --- reading -------------------------------------------------------------- */

static void
keep(char **seen, const char *now)
{
	free(*seen);
	*seen = strdup(now);
	if (*seen == NULL)
		abort();
}

/* {"dataSourceId": …, and then the caller's member and the end. */
static struct jsonw *
begin(struct hub_news *news, int64_t datasource_id)
{
	struct jsonw *json = jsonw_in(news->arena);
	const struct image_datasource *datasource;
	char uuid[UUID_TEXT_BYTES];

	image_read_lock(news->hub->image);
	datasource = image_datasource(news->hub->image, (int32_t)datasource_id);
	if (datasource != NULL)
		uuid_format(uuid, datasource->uuid);
	image_unlock(news->hub->image);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "dataSourceId", datasource != NULL ? uuid : NULL);
	return json;
}

static const char *
alarm_text(struct hub_news *news, const struct alarm *alarm)
{
	struct jsonw *inner = jsonw_in(news->arena);
	struct jsonw *json = begin(news, alarm->datasource_id);

	alarm_write(inner, alarm, clock_now_us());
	jsonw_raw(json, "alarm", inner->out->data);
	jsonw_close_obj(json);
	return json->out->data;
}

static const char *
event_text(struct hub_news *news, const struct event *event)
{
	struct jsonw *inner = jsonw_in(news->arena);
	struct jsonw *json = begin(news, event->datasource_id);

	event_tell(inner, event);
	jsonw_raw(json, "event", inner->out->data);
	jsonw_close_obj(json);
	return json->out->data;
}

/* Live streams, or nodes that subscribe. */
static bool
is_wanted(const struct hub_news *news)
{
	return live_news_wanted(news->hub->live) ||
	       hub_node_streams_subscribe(news->hub);
}

static void
tell_alarms(struct hub_news *news, const struct alarm_list *list)
{
	struct live_news *all =
		arena_array(news->arena, list->count, sizeof(*all));

	for (size_t i = 0; i < list->count; i++)
		all[i] = (struct live_news){LIVE_ALARMS,
			list->items[i].datasource_id,
			list->items[i].variable_id,
			alarm_text(news, &list->items[i])};
	live_news_add(news->hub->live, all, list->count);
}

static void
tell_events(
	struct hub_news *news, const struct event_seen *events, size_t count)
{
	struct live_news *all = arena_array(news->arena, count, sizeof(*all));

	for (size_t i = 0; i < count; i++)
		all[i] = (struct live_news){LIVE_EVENTS,
			events[i].event.datasource_id,
			events[i].event.variable_id,
			event_text(news, &events[i].event)};
	live_news_add(news->hub->live, all, count);
}

static struct feed_look
everything_since(const char *snapshot, const char *none)
{
	return (struct feed_look){
		.since = snapshot, .until = "", .xid = "0", .id = none};
}

static enum rc
read_alarms(struct hub_news *news)
{
	const struct feed_look look =
		everything_since(news->alarms_seen, FEED_NO_ALARM);
	struct alarm_list list;
	const char *now;
	enum rc rc = alarm_follow(news->db, news->arena, &look, NULL, 0,
		ROWS_MAX, &list, &now, &news->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < list.count; i++)
		hub_feed_news_note(news->hub,
			(int32_t)list.items[i].datasource_id, HUB_FEED_ALARMS);
	if (list.count == ROWS_MAX) {
		live_news_lost(news->hub->live);
		hub_feed_news_note(news->hub, HUB_FEED_ANY, HUB_FEED_ALARMS);
	} else if (live_news_wanted(news->hub->live)) {
		tell_alarms(news, &list);
	}
	keep(&news->alarms_seen, now);
	return RC_OK;
}

static enum rc
read_events(struct hub_news *news)
{
	const struct feed_look look =
		everything_since(news->events_seen, FEED_NO_EVENT);
	struct event_seen *events;
	size_t count = 0;
	const char *now;
	enum rc rc = event_follow(news->db, news->arena, &look, NULL, 0,
		ROWS_MAX, &events, &count, &now, &news->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		if (events[i].event.datasource_id != 0)
			hub_feed_news_note(news->hub,
				(int32_t)events[i].event.datasource_id,
				HUB_FEED_EVENTS);
	if (count == ROWS_MAX) {
		live_news_lost(news->hub->live);
		hub_feed_news_note(news->hub, HUB_FEED_ANY, HUB_FEED_EVENTS);
	} else if (live_news_wanted(news->hub->live)) {
		tell_events(news, events, count);
	}
	keep(&news->events_seen, now);
	return RC_OK;
}

/* Where the lists are now. */
static enum rc
find_end(struct hub_news *news, const char **now)
{
	const struct feed_look look = everything_since(NULL, FEED_NO_ALARM);
	struct alarm_list list;

	return alarm_follow(news->db, news->arena, &look, NULL, 0, 0, &list,
		now, &news->fault);
}

/* Nobody listens. A stream that is made meanwhile must not miss what is before
 * the end of the lists, so then the older note stays. */
static enum rc
skip(struct hub_news *news)
{
	const char *now;
	enum rc rc = find_end(news, &now);

	if (rc != RC_OK || is_wanted(news))
		return rc;
	keep(&news->alarms_seen, now);
	keep(&news->events_seen, now);
	return RC_OK;
}

/* Who listens already begins anew: what was before this is not known. */
static enum rc
start_looking(struct hub_news *news)
{
	const char *now;
	enum rc rc = find_end(news, &now);

	if (rc != RC_OK)
		return rc;
	keep(&news->alarms_seen, now);
	keep(&news->events_seen, now);
	live_news_lost(news->hub->live);
	hub_feed_news_note(
		news->hub, HUB_FEED_ANY, HUB_FEED_ALARMS | HUB_FEED_EVENTS);
	return RC_OK;
}

/* After a restore snapshots of before say nothing. */
static void
note_era(struct hub_news *news)
{
	int64_t era = atomic_load(&news->hub->era);

	if (era == news->era)
		return;
	news->era = era;
	free(news->alarms_seen);
	free(news->events_seen);
	news->alarms_seen = NULL;
	news->events_seen = NULL;
}

static enum rc
look(struct hub_news *news)
{
	enum rc rc;

	note_era(news);
	if (news->alarms_seen != NULL && !is_wanted(news))
		return skip(news);
	rc = news->alarms_seen != NULL ? read_alarms(news)
				       : start_looking(news);
	if (rc == RC_OK)
		rc = read_events(news);
	hub_live_wake(news->live);
	return rc;
}

static void
note(struct hub_news *news, enum rc rc)
{
	if (rc != RC_OK && !news->lost)
		log_warn(NULL, "alarms and events: %s", news->fault.text);
	news->lost = rc != RC_OK;
}

static bool
open_db(struct hub_news *news)
{
	enum rc rc = db_open(&news->hub->conf.database, "fieldgrid-hub news",
		news->hub->stmts, &news->db, &news->fault);

	if (rc != RC_OK)
		log_error(NULL, "%s", news->fault.text);
	return rc == RC_OK;
}

void
hub_news_run(struct hub_news *news)
{
	if (!open_db(news))
		return;
	do {
		note(news, look(news));
		arena_reset(news->arena);
	} while (wait_for_more(
		news, PAUSE_US, is_wanted(news) ? LOOK_US : IDLE_US));
	db_close(news->db);
}
