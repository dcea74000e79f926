/* egress_news: the hub's word that there is something to fetch. */

#include "agents/egress_news.h"

#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>

#include "agents/node_stream.h"
#include "lib/clock.h"

struct egress_news {
	struct node_stream *stream;
	struct node_stream_handler handlers[2];
	const atomic_bool *stop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* by the steady clock */
	unsigned kinds;         /* under the lock */
};

static bool
is_true(struct json_object *object, const char *name)
{
	struct json_object *member;

	return json_object_object_get_ex(object, name, &member) &&
	       json_object_get_boolean(member);
}

/* What is not understood is news of everything. */
static unsigned
read_kinds(const char *text, size_t length)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object =
		json_tokener_parse_ex(tokener, text, (int)length);
	unsigned kinds = 0;

	json_tokener_free(tokener);
	if (json_object_is_type(object, json_type_object))
		kinds = (is_true(object, "values") ? EGRESS_VALUES : 0u) |
			(is_true(object, "alarms") ? EGRESS_ALARMS : 0u) |
			(is_true(object, "events") ? EGRESS_EVENTS : 0u);
	json_object_put(object);
	return kinds != 0 ? kinds : EGRESS_ALL;
}

static void
take_feed(void *context, const char *text, size_t length)
{
	struct egress_news *news = context;

	pthread_mutex_lock(&news->lock);
	news->kinds |= read_kinds(text, length);
	pthread_cond_signal(&news->changed);
	pthread_mutex_unlock(&news->lock);
}

static void *
run(void *context)
{
	struct egress_news *news = context;

	node_stream_run(news->stream);
	return NULL;
}

static struct egress_news *
new_news(const atomic_bool *stop)
{
	struct egress_news *news = calloc(1, sizeof(*news));
	pthread_condattr_t attributes;

	if (news == NULL)
		abort();
	news->stop = stop;
	news->handlers[0] =
		(struct node_stream_handler){"feed", take_feed, news};
	pthread_mutex_init(&news->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&news->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	return news;
}

static void
free_news(struct egress_news *news)
{
	node_stream_close(news->stream);
	pthread_cond_destroy(&news->changed);
	pthread_mutex_destroy(&news->lock);
	free(news);
}

enum rc
egress_news_open(const struct hub_options *options, struct egress_news **result,
	struct fault *fault)
{
	struct egress_news *news = new_news(options->stop);
	enum rc rc =
		node_stream_open(options, news->handlers, &news->stream, fault);

	if (rc == RC_OK && pthread_create(&news->thread, NULL, run, news) != 0)
		rc = fault_set(fault, RC_IO, "there is no thread for news");
	if (rc == RC_OK)
		*result = news;
	else
		free_news(news);
	return rc;
}

void
egress_news_end(struct egress_news *news)
{
	pthread_mutex_lock(&news->lock);
	pthread_cond_signal(&news->changed);
	pthread_mutex_unlock(&news->lock);
}

void
egress_news_close(struct egress_news *news)
{
	if (news == NULL)
		return;
	pthread_join(news->thread, NULL);
	free_news(news);
}

unsigned
egress_news_wait(struct egress_news *news, int64_t most_us)
{
	int64_t until_us = clock_steady_us() + most_us;
	const struct timespec until = {until_us / CLOCK_SECOND_US,
		(long)(until_us % CLOCK_SECOND_US) * 1000};
	unsigned kinds;

	pthread_mutex_lock(&news->lock);
	while (news->kinds == 0 && !atomic_load(news->stop) &&
		pthread_cond_timedwait(&news->changed, &news->lock, &until) ==
			0)
		;
	kinds = news->kinds;
	news->kinds = 0;
	pthread_mutex_unlock(&news->lock);
	return kinds;
}
