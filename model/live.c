/* live: streams of changed values, without their transport. */

#include "model/live_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/memory.h"

#define UNCONNECTED_US  (60 * CLOCK_SECOND_US)
#define DISCONNECTED_US (5 * CLOCK_MINUTE_US)

struct live *
live_new(struct image *image, const struct live_sink *sink)
{
	struct live *live = memory_new(1, sizeof(*live));
	uint64_t boot;

	pthread_mutex_init(&live->lock, NULL);
	live->image = image;
	live->sink = *sink;
	secret_random(&boot, sizeof(boot));
	snprintf(live->boot, sizeof(live->boot), "%016" PRIx64, boot);
	return live;
}

/* --- streams ------------------------------------------------------------ */

static bool
same_caller(const struct caller *one, const struct caller *other)
{
	return one->kind == other->kind && one->id == other->id;
}

static bool
same_credential(const struct caller *one, const struct caller *other)
{
	return same_caller(one, other) &&
	       memcmp(one->credential, other->credential,
		       sizeof(one->credential)) == 0 &&
	       one->client_epoch == other->client_epoch &&
	       one->user_epoch == other->user_epoch &&
	       memcmp(one->family, other->family, sizeof(one->family)) == 0;
}

static void
disconnect(struct live *live, struct live_stream *stream)
{
	void *client = stream->client;

	if (client == NULL)
		return;
	stream->client = NULL;
	stream->since_us = clock_steady_us();
	stream->wait_us = DISCONNECTED_US;
	stream->group->connected--;
	live->sink.close(client);
}

/* *at is the link that holds the stream. */
static void
forget(struct live *live, struct live_stream **at)
{
	struct live_stream *stream = *at;

	*at = stream->next;
	live->count--;
	live_group_remove(live, stream);
	arena_free(stream->arena);
	free(stream);
}

/* Make room among a caller's streams by forgetting the oldest that nobody is
 * connected to. False when all are in use. */
static bool
make_room(struct live *live, const struct caller *caller)
{
	struct live_stream **oldest = NULL;
	size_t count = 0;

	for (struct live_stream **at = &live->streams; *at != NULL;
		at = &(*at)->next) {
		if (!same_caller((*at)->caller, caller))
			continue;
		count++;
		if ((*at)->client == NULL &&
			(oldest == NULL ||
				(*at)->since_us < (*oldest)->since_us))
			oldest = at;
	}
	if (count < LIVE_PER_CALLER_MAX)
		return true;
	if (oldest != NULL)
		forget(live, oldest);
	return oldest != NULL;
}

static void
add_stream(struct live *live, const struct live_order *order,
	char id[LIVE_ID_BYTES])
{
	struct live_stream *stream = memory_new(1, sizeof(*stream));

	stream->arena = arena_new();
	snprintf(stream->id, sizeof(stream->id), "%s",
		secret_token(stream->arena));
	memcpy(id, stream->id, LIVE_ID_BYTES);
	memcpy(stream->secret, order->secret, sizeof(stream->secret));
	stream->caller = caller_copy(stream->arena, order->caller);
	live_group_add(live_group_get(live, order), stream);
	stream->since_us = clock_steady_us();
	stream->wait_us = UNCONNECTED_US;
	stream->next = live->streams;
	live->streams = stream;
	live->count++;
}

enum rc
live_register(struct live *live, const struct live_order *order,
	char id[LIVE_ID_BYTES], struct fault *fault)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&live->lock);
	if (live->count >= LIVE_STREAMS_MAX || !make_room(live, order->caller))
		rc = fault_tell(fault, RC_TOO_MANY, "TooManyStreams", NULL,
			"Close some of the live streams first.");
	else
		add_stream(live, order, id);
	pthread_mutex_unlock(&live->lock);
	return rc;
}

static struct live_stream *
find_stream(struct live *live, const char *id)
{
	for (struct live_stream *stream = live->streams; stream != NULL;
		stream = stream->next)
		if (strlen(id) == strlen(stream->id) &&
			secret_equal(id, stream->id, strlen(stream->id)))
			return stream;
	return NULL;
}

static bool
parse_point(const char *text, struct live_point *point)
{
	char *end;

	point->version = strtoull(text, &end, 10);
	if (end == text || *end != '-')
		return false;
	text = end + 1;
	point->news = strtoull(text, &end, 10);
	return end > text && *end == '\0';
}

/* Nothing when the id is not of this boot, or of no text there has been. */
static struct live_point
event_point(const struct live *live, const char *event_id)
{
	const struct live_point nothing = {0, 0};
	size_t length = strlen(live->boot);
	struct live_point point;

	if (event_id == NULL || strncmp(event_id, live->boot, length) != 0 ||
		event_id[length] != '-' ||
		!parse_point(event_id + length + 1, &point) ||
		point.version > image_version(live->image) ||
		point.news > live->news)
		return nothing;
	return point;
}

/* Those who are there are told first, so that all are at the same point. */
static void
send_first(struct live *live, struct live_stream *stream,
	const char *last_event_id)
{
	struct live_group *group = stream->group;
	struct live_text *text;

	if (group->wants_news)
		live_group_flush(live, group);
	text = live_text_changes(
		live, group, event_point(live, last_event_id), &stream->point);
	if (group->connected++ == 0) {
		group->point = stream->point;
		group->spoke_us = clock_steady_us();
	}
	live->sink.send(stream->client, text != NULL ? text : live_text_beat());
}

enum rc
live_check(struct live *live, const char *id, const uint8_t secret[32],
	struct fault *fault)
{
	const struct live_stream *stream;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&live->lock);
	stream = find_stream(live, id);
	if (stream == NULL || stream->end != LIVE_GOES_ON)
		rc = fault_tell(fault, RC_NOT_FOUND, "NotFound", NULL,
			"There is no such stream; register it anew.");
	else if (!secret_equal(secret, stream->secret, 32))
		rc = fault_tell(fault, RC_UNAUTHENTICATED, "Unauthenticated",
			NULL, "The stream belongs to another login.");
	pthread_mutex_unlock(&live->lock);
	return rc;
}

void
live_connect(struct live *live, const char *id, const char *last_event_id,
	void *client)
{
	struct live_stream *stream;

	pthread_mutex_lock(&live->lock);
	stream = find_stream(live, id);
	if (stream == NULL) {
		live->sink.close(client);
	} else {
		disconnect(live, stream);
		stream->client = client;
		send_first(live, stream, last_event_id);
	}
	pthread_mutex_unlock(&live->lock);
}

void
live_leave(struct live *live, void *client)
{
	pthread_mutex_lock(&live->lock);
	for (struct live_stream *stream = live->streams; stream != NULL;
		stream = stream->next) {
		if (stream->client != client)
			continue;
		stream->client = NULL;
		stream->since_us = clock_steady_us();
		stream->wait_us = DISCONNECTED_US;
		stream->group->connected--;
	}
	pthread_mutex_unlock(&live->lock);
}

/* --- the tick ----------------------------------------------------------- */

/* Forget streams whose time is up; end those that have ended. */
static void
tick_streams(struct live *live, int64_t now_us)
{
	int64_t wall_us = clock_now_us();
	struct live_stream **at = &live->streams;

	while (*at != NULL) {
		struct live_stream *stream = *at;

		if (stream->end == LIVE_GOES_ON &&
			stream->caller->expires_us <= wall_us)
			stream->end = LIVE_EXPIRED;
		if (stream->end != LIVE_GOES_ON && stream->client != NULL) {
			live->sink.send(
				stream->client, live_text_end(stream->end));
			disconnect(live, stream);
		}
		if (stream->client == NULL &&
			(stream->end != LIVE_GOES_ON ||
				now_us - stream->since_us > stream->wait_us))
			forget(live, at);
		else
			at = &stream->next;
	}
}

int64_t
live_tick(struct live *live, int64_t now_us)
{
	int64_t next_us = now_us + CLOCK_SECOND_US;

	pthread_mutex_lock(&live->lock);
	tick_streams(live, now_us);
	for (struct live_group *group = live->groups; group != NULL;
		group = group->next) {
		int64_t wanted_us;

		if (group->connected == 0)
			continue;
		wanted_us = live_group_tick(live, group, now_us);
		if (wanted_us < next_us)
			next_us = wanted_us;
	}
	pthread_mutex_unlock(&live->lock);
	return next_us;
}

/* --- rights ------------------------------------------------------------- */

void
live_callers(struct live *live, struct arena *arena, struct caller **callers,
	size_t *count)
{
	pthread_mutex_lock(&live->lock);
	*callers = arena_array(arena, live->count, sizeof(**callers));
	*count = 0;
	for (struct live_stream *stream = live->streams; stream != NULL;
		stream = stream->next) {
		size_t i = 0;

		while (i < *count &&
			!same_credential(&(*callers)[i], stream->caller))
			i++;
		if (i == *count)
			(*callers)[(*count)++] =
				*caller_copy(arena, stream->caller);
	}
	pthread_mutex_unlock(&live->lock);
}

void
live_end(struct live *live, const struct caller *caller, enum live_end end)
{
	pthread_mutex_lock(&live->lock);
	for (struct live_stream *stream = live->streams; stream != NULL;
		stream = stream->next)
		if (stream->end == LIVE_GOES_ON &&
			same_credential(stream->caller, caller))
			stream->end = end;
	pthread_mutex_unlock(&live->lock);
}

/* Are told and refused what they were? Needs: the image's lock. */
static bool
choice_fits(const struct live_choice *choice, const struct policy *policy,
	enum policy_action action)
{
	for (size_t i = 0; i < choice->count; i++)
		if (!policy_may(policy, &choice->variables[i]->meta, action))
			return false;
	for (size_t i = 0; i < choice->refused_count; i++)
		if (policy_may(policy, &choice->refused[i]->meta, action))
			return false;
	for (size_t i = 0; i < choice->whole_count; i++)
		if (!policy_allows(policy, choice->whole[i]->id, "", action))
			return false;
	for (size_t i = 0; i < choice->refused_whole_count; i++)
		if (policy_allows(
			    policy, choice->refused_whole[i]->id, "", action))
			return false;
	return true;
}

enum policy_action
live_action(enum live_subject subject)
{
	static const enum policy_action actions[] = {
		[LIVE_VALUES] = POLICY_READ_VALUES,
		[LIVE_ALARMS] = POLICY_READ_ALARMS,
		[LIVE_EVENTS] = POLICY_READ_EVENTS,
	};

	return actions[subject];
}

static bool
still_fits(const struct live_group *group, const struct policy *policy)
{
	for (int i = 0; i < LIVE_SUBJECTS; i++)
		if (!choice_fits(&group->choices[i], policy, live_action(i)))
			return false;
	return true;
}

void
live_recheck(struct live *live, const struct caller *caller,
	const struct policy *policy)
{
	pthread_mutex_lock(&live->lock);
	image_read_lock(live->image);
	for (struct live_stream *stream = live->streams; stream != NULL;
		stream = stream->next)
		if (stream->end == LIVE_GOES_ON &&
			same_credential(stream->caller, caller) &&
			!still_fits(stream->group, policy))
			stream->end = LIVE_RIGHTS_CHANGED;
	image_unlock(live->image);
	pthread_mutex_unlock(&live->lock);
}

void
live_close_all(struct live *live)
{
	pthread_mutex_lock(&live->lock);
	for (struct live_stream *stream = live->streams; stream != NULL;
		stream = stream->next)
		disconnect(live, stream);
	pthread_mutex_unlock(&live->lock);
}

void
live_free(struct live *live)
{
	if (live == NULL)
		return;
	while (live->streams != NULL)
		forget(live, &live->streams);
	live_news_free(live);
	pthread_mutex_destroy(&live->lock);
	free(live);
}
