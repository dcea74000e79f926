/* hub_feed_news: egress nodes are told that there is something to fetch. */

#include "fcgi/hub_feed_news.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "fcgi/hub_held.h"
#include "fcgi/hub_node_stream_parts.h"
#include "lib/memory.h"

#define ROUND_US  (CLOCK_SECOND_US / 50) /* between looks at all streams */
#define STREAM_US (CLOCK_SECOND_US / 10) /* between two events of one */

struct hub_feed_news {
	pthread_mutex_t lock;
	uint8_t *kinds; /* by the datasource's id, since the last round */
	size_t room;
	bool noted;
	int64_t round_us; /* steady clock; of the live thread alone */
};

struct hub_feed_news *
hub_feed_news_new(void)
{
	struct hub_feed_news *news = memory_new(1, sizeof(*news));

	pthread_mutex_init(&news->lock, NULL);
	return news;
}

void
hub_feed_news_free(struct hub_feed_news *news)
{
	if (news == NULL)
		return;
	pthread_mutex_destroy(&news->lock);
	free(news->kinds);
	free(news);
}

/* Under the lock. */
static void
make_room(struct hub_feed_news *news, size_t room)
{
	if (room <= news->room)
		return;
	news->kinds = memory_grow(news->kinds, room, sizeof(*news->kinds));
	memset(news->kinds + news->room, 0, room - news->room);
	news->room = room;
}

void
hub_feed_news_note(struct hub *hub, int32_t datasource_id, unsigned kinds)
{
	struct hub_feed_news *news = hub->feed_news;
	bool first;

	if (!hub_node_streams_subscribe(hub))
		return;
	pthread_mutex_lock(&news->lock);
	make_room(news, (size_t)datasource_id + 1);
	news->kinds[datasource_id] |= (uint8_t)kinds;
	first = !news->noted;
	news->noted = true;
	pthread_mutex_unlock(&news->lock);
	if (first)
		hub_held_wake(hub);
}

/* --- the live thread -------------------------------------------------------
 */

static unsigned
kinds_of(const struct hub_feed_news *news, int32_t datasource_id)
{
	return (size_t)datasource_id < news->room ? news->kinds[datasource_id]
						  : 0;
}

static void
gather(const struct hub_feed_news *news, struct stream *stream)
{
	stream->news |= kinds_of(news, HUB_FEED_ANY);
	for (size_t i = 0; i < stream->link_count; i++)
		if (stream->links[i].subscribes)
			stream->news |=
				kinds_of(news, stream->links[i].datasource_id);
}

static void
tell(struct stream *stream, int64_t now_us)
{
	static const char *const names[] = {"values", "alarms", "events"};
	char text[64] = "{";

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if ((stream->news >> i & 1) != 0)
			snprintf(text + strlen(text),
				sizeof(text) - strlen(text), "%s\"%s\":true",
				text[1] != '\0' ? "," : "", names[i]);
	strcat(text, "}");
	if (hub_node_stream_put(stream, "feed", text))
		stream->news = 0;
	stream->told_us = now_us;
}

/* How long until the one that waits longest may be told; 0 = none waits. */
static int64_t
tell_all(struct hub_feed_news *news, struct hub_node_streams *streams,
	int64_t now_us)
{
	int64_t wait_us = 0;

	for (struct stream *stream = streams->first; stream != NULL;
		stream = stream->next) {
		int64_t left_us = stream->told_us + STREAM_US - now_us;

		if (!stream->subscribes || stream->request == NULL)
			continue;
		if (news->noted)
			gather(news, stream);
		if (stream->news == 0)
			continue;
		if (left_us <= 0)
			tell(stream, now_us);
		else if (wait_us == 0 || left_us < wait_us)
			wait_us = left_us;
	}
	return wait_us;
}

int64_t
hub_feed_news_flush(struct hub *hub)
{
	struct hub_feed_news *news = hub->feed_news;
	struct hub_node_streams *streams = hub->node_streams;
	int64_t now_us = clock_steady_us();
	int64_t wait_us = news->round_us + ROUND_US - now_us;

	if (!hub_node_streams_subscribe(hub))
		return 0;
	if (wait_us > 0)
		return wait_us;
	news->round_us = now_us;
	pthread_mutex_lock(&news->lock);
	pthread_mutex_lock(&streams->lock);
	wait_us = tell_all(news, streams, now_us);
	pthread_mutex_unlock(&streams->lock);
	if (news->noted && news->room > 0)
		memset(news->kinds, 0, news->room);
	news->noted = false;
	pthread_mutex_unlock(&news->lock);
	return wait_us;
}
