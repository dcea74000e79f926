/* live: streams of changed values, without their transport. */

#include "model/live.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jsonw.h"
#include "lib/log.h"
#include "lib/secret.h"

#define EVERY_US (CLOCK_SECOND_US / 10)
/* Finding that nothing changed is work, too. */
#define LOOK_US         (CLOCK_SECOND_US / 50)
#define BEAT_US         CLOCK_SECOND_US
#define UNCONNECTED_US  (60 * CLOCK_SECOND_US)
#define DISCONNECTED_US (5 * CLOCK_MINUTE_US)
/* A stream that was left out is drained when this little is pending. */
#define DRAINED_BYTES (16 * 1024)

/* Streams with the same list of variables. */
struct group {
	struct group *next;
	uint8_t key[SECRET_HASH_BYTES];
	struct image_variable **variables; /* the index is the "ref" */
	size_t count;
	struct image_datasource **datasources; /* of the variables */
	size_t datasources_count;
	struct stream *streams;
	size_t connected;
	uint64_t version;  /* of the image in the last text to all */
	int64_t sent_us;   /* steady; when that was */
	int64_t looked_us; /* steady; when changes were last looked for */
	int64_t spoke_us;  /* steady; last text of any kind to all */
};

struct stream {
	struct stream *next;
	struct stream *peer; /* in the group */
	char id[LIVE_ID_BYTES];
	uint8_t secret[32];
	struct arena *arena; /* of "caller" */
	struct caller *caller;
	struct group *group;
	void *client;     /* NULL = not connected */
	uint64_t version; /* of the image in its last text */
	int64_t since_us; /* steady; when it was made or left */
	int64_t wait_us;  /* how long it is kept without a client */
	enum live_end end;
};

struct live {
	pthread_mutex_t lock;
	struct image *image;
	struct live_sink sink;
	char boot[17];
	struct stream *streams;
	size_t count;
	struct group *groups;
};

static void *
zeroed_or_die(size_t count, size_t bytes)
{
	void *memory = calloc(count + 1, bytes);

	if (memory == NULL) {
		log_error(NULL, "out of memory: %zu bytes", count * bytes);
		abort();
	}
	return memory;
}

struct live *
live_new(struct image *image, const struct live_sink *sink)
{
	struct live *live = zeroed_or_die(1, sizeof(*live));
	uint64_t boot;

	pthread_mutex_init(&live->lock, NULL);
	live->image = image;
	live->sink = *sink;
	secret_random(&boot, sizeof(boot));
	snprintf(live->boot, sizeof(live->boot), "%016" PRIx64, boot);
	return live;
}

/* --- texts
 * -------------------------------------------------------------------- */

static struct live_text *
text_new(void)
{
	struct live_text *text = zeroed_or_die(1, sizeof(*text));

	text->users = 1;
	buf_init(&text->buf, 0);
	return text;
}

void
live_text_free(struct live_text *text)
{
	if (text == NULL || atomic_fetch_sub(&text->users, 1) > 1)
		return;
	buf_free(&text->buf);
	free(text);
}

static void
write_value(
	struct jsonw *json, const struct image_variable *variable, size_t ref)
{
	jsonw_open_arr(json, NULL);
	jsonw_uint(json, NULL, ref);
	image_write_value(variable, json, NULL);
	if (variable->value.kind == VALUE_NONE)
		jsonw_null(json, NULL);
	else
		jsonw_int(json, NULL, variable->time_us / 1000);
	jsonw_uint(json, NULL, variable->status);
	jsonw_close_arr(json);
}

/* The values that changed since "version"; 0 = all. Returns how many. */
static size_t
write_values(struct jsonw *json, const struct group *group, uint64_t version)
{
	size_t written = 0;

	jsonw_open_arr(json, "values");
	for (size_t i = 0; i < group->count; i++) {
		if (version != 0 && group->variables[i]->version <= version)
			continue;
		write_value(json, group->variables[i], i);
		written++;
	}
	jsonw_close_arr(json);
	return written;
}

static void
write_datasource(struct jsonw *json, const struct image_datasource *datasource)
{
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, datasource->uuid);
	jsonw_open_arr(json, NULL);
	jsonw_str(json, NULL, uuid);
	jsonw_str(json, NULL, datasource->online ? "Online" : "Offline");
	if (datasource->seen_us == CLOCK_NEVER)
		jsonw_null(json, NULL);
	else
		jsonw_int(json, NULL, datasource->seen_us / 1000);
	jsonw_close_arr(json);
}

static size_t
count_datasources(const struct group *group, uint64_t version)
{
	size_t changed = 0;

	for (size_t i = 0; i < group->datasources_count; i++)
		changed += version == 0 ||
			   group->datasources[i]->online_version > version;
	return changed;
}

static void
write_datasources(
	struct jsonw *json, const struct group *group, uint64_t version)
{
	jsonw_open_arr(json, "datasources");
	for (size_t i = 0; i < group->datasources_count; i++)
		if (version == 0 ||
			group->datasources[i]->online_version > version)
			write_datasource(json, group->datasources[i]);
	jsonw_close_arr(json);
}

/*
 * What changed since "since" (0 = a snapshot of everything), of one moment,
 * whose version is *version. NULL when nothing did.
 */
static struct live_text *
build(struct live *live, const struct group *group, uint64_t since,
	uint64_t *version)
{
	struct live_text *text = text_new();
	struct jsonw json;
	size_t datasources;
	size_t values;

	image_read_lock(live->image);
	*version = image_version(live->image);
	buf_printf(&text->buf, "event: %s\nid: %s-%" PRIu64 "\ndata: ",
		since == 0 ? "snapshot" : "values", live->boot, *version);
	jsonw_init(&json, &text->buf);
	jsonw_open_obj(&json, NULL);
	jsonw_time(&json, "time", clock_now_us());
	values = write_values(&json, group, since);
	datasources = count_datasources(group, since);
	if (datasources > 0)
		write_datasources(&json, group, since);
	jsonw_close_obj(&json);
	image_unlock(live->image);
	buf_text(&text->buf, "\n\n");
	if (since == 0 || values > 0 || datasources > 0)
		return text;
	live_text_free(text);
	return NULL;
}

static struct live_text *
build_beat(void)
{
	struct live_text *text = text_new();
	char time[CLOCK_TEXT_BYTES];

	clock_format(time, clock_now_us());
	buf_printf(
		&text->buf, "event: beat\ndata: {\"time\":\"%s\"}\n\n", time);
	return text;
}

static struct live_text *
build_end(enum live_end end)
{
	static const char *const reasons[] = {
		[LIVE_LOGGED_OUT] = "logged_out",
		[LIVE_RIGHTS_CHANGED] = "rights_changed",
		[LIVE_EXPIRED] = "expired",
	};
	struct live_text *text = text_new();

	buf_printf(&text->buf, "event: end\ndata: {\"reason\":\"%s\"}\n\n",
		reasons[end]);
	return text;
}

static void
send_shared(struct live *live, struct stream *stream, struct live_text *text)
{
	atomic_fetch_add(&text->users, 1);
	live->sink.send(stream->client, text);
}

/* --- groups
 * ------------------------------------------------------------------- */

static void
group_key(uint8_t key[SECRET_HASH_BYTES],
	struct image_variable *const *variables, size_t count)
{
	int32_t *ids = zeroed_or_die(count, sizeof(*ids));

	for (size_t i = 0; i < count; i++)
		ids[i] = variables[i]->meta.id;
	secret_hash(key, ids, count * sizeof(*ids));
	free(ids);
}

static void
note_datasource(struct group *group, struct image_datasource *datasource)
{
	for (size_t i = 0; i < group->datasources_count; i++)
		if (group->datasources[i] == datasource)
			return;
	group->datasources = realloc(group->datasources,
		(group->datasources_count + 1) * sizeof(*group->datasources));
	if (group->datasources == NULL)
		abort();
	group->datasources[group->datasources_count++] = datasource;
}

static struct group *
group_get(struct live *live, const struct live_order *order)
{
	uint8_t key[SECRET_HASH_BYTES];
	struct group *group = live->groups;

	group_key(key, order->variables, order->count);
	while (group != NULL && memcmp(group->key, key, sizeof(key)) != 0)
		group = group->next;
	if (group == NULL) {
		group = zeroed_or_die(1, sizeof(*group));
		memcpy(group->key, key, sizeof(key));
		group->count = order->count;
		group->variables =
			zeroed_or_die(order->count, sizeof(*group->variables));
		for (size_t i = 0; i < order->count; i++) {
			group->variables[i] = order->variables[i];
			note_datasource(group, order->variables[i]->datasource);
		}
		group->next = live->groups;
		live->groups = group;
	}
	return group;
}

static void
group_add(struct group *group, struct stream *stream)
{
	stream->group = group;
	stream->peer = group->streams;
	group->streams = stream;
}

static void
group_free(struct live *live, struct group *group)
{
	struct group **at = &live->groups;

	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	free(group->variables);
	free(group->datasources);
	free(group);
}

static void
group_remove(struct live *live, struct stream *stream)
{
	struct stream **at = &stream->group->streams;

	while (*at != stream)
		at = &(*at)->peer;
	*at = stream->peer;
	if (stream->group->streams == NULL)
		group_free(live, stream->group);
}

/* --- streams
 * ------------------------------------------------------------------ */

static struct caller *
copy_caller(struct arena *arena, const struct caller *caller)
{
	struct caller *copy = arena_memdup(arena, caller, sizeof(*caller));

	copy->subject = arena_strdup(arena, caller->subject);
	copy->name = arena_strdup(arena, caller->name);
	copy->scopes = arena_strdup(arena, caller->scopes);
	copy->csrf = arena_strdup(arena, caller->csrf);
	copy->client = arena_strdup(arena, caller->client);
	return copy;
}

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
disconnect(struct live *live, struct stream *stream)
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
forget(struct live *live, struct stream **at)
{
	struct stream *stream = *at;

	*at = stream->next;
	live->count--;
	group_remove(live, stream);
	arena_free(stream->arena);
	free(stream);
}

/* Make room among a caller's streams by forgetting the oldest that nobody is
 * connected to. False when all are in use. */
static bool
make_room(struct live *live, const struct caller *caller)
{
	struct stream **oldest = NULL;
	size_t count = 0;

	for (struct stream **at = &live->streams; *at != NULL;
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
	struct stream *stream = zeroed_or_die(1, sizeof(*stream));

	stream->arena = arena_new();
	snprintf(stream->id, sizeof(stream->id), "%s",
		secret_token(stream->arena));
	memcpy(id, stream->id, LIVE_ID_BYTES);
	memcpy(stream->secret, order->secret, sizeof(stream->secret));
	stream->caller = copy_caller(stream->arena, order->caller);
	group_add(group_get(live, order), stream);
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

static struct stream *
find_stream(struct live *live, const char *id)
{
	for (struct stream *stream = live->streams; stream != NULL;
		stream = stream->next)
		if (strlen(id) == strlen(stream->id) &&
			secret_equal(id, stream->id, strlen(stream->id)))
			return stream;
	return NULL;
}

/* 0 when the id is not of this boot, or of no version there has been. */
static uint64_t
event_version(const struct live *live, const char *event_id)
{
	size_t length = strlen(live->boot);
	uint64_t version;
	char *end;

	if (event_id == NULL || strncmp(event_id, live->boot, length) != 0 ||
		event_id[length] != '-')
		return 0;
	version = strtoull(event_id + length + 1, &end, 10);
	if (*end != '\0' || version > image_version(live->image))
		return 0;
	return version;
}

static void
send_first(struct live *live, struct stream *stream, const char *last_event_id)
{
	struct group *group = stream->group;
	struct live_text *text = build(live, group,
		event_version(live, last_event_id), &stream->version);

	if (group->connected++ == 0) {
		group->version = stream->version;
		group->spoke_us = clock_steady_us();
	}
	live->sink.send(stream->client, text != NULL ? text : build_beat());
}

enum rc
live_check(struct live *live, const char *id, const uint8_t secret[32],
	struct fault *fault)
{
	const struct stream *stream;
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
	struct stream *stream;

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
	for (struct stream *stream = live->streams; stream != NULL;
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

/* --- the tick
 * ----------------------------------------------------------------- */

/* Forget streams whose time is up; end those that have ended. */
static void
tick_streams(struct live *live, int64_t now_us)
{
	int64_t wall_us = clock_now_us();
	struct stream **at = &live->streams;

	while (*at != NULL) {
		struct stream *stream = *at;

		if (stream->end == LIVE_GOES_ON &&
			stream->caller->expires_us <= wall_us)
			stream->end = LIVE_EXPIRED;
		if (stream->end != LIVE_GOES_ON && stream->client != NULL) {
			live->sink.send(stream->client, build_end(stream->end));
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

static bool
has_changed(const struct live *live, const struct group *group)
{
	bool changed = false;

	if (image_version(live->image) == group->version)
		return false;
	image_read_lock(live->image);
	for (size_t i = 0; i < group->datasources_count && !changed; i++)
		changed = group->datasources[i]->version > group->version;
	image_unlock(live->image);
	return changed;
}

/* The streams of the group that have everything up to "since" and keep up. */
static void
send_to_group(struct live *live, const struct group *group,
	struct live_text *text, uint64_t since, uint64_t version)
{
	for (struct stream *stream = group->streams; stream != NULL;
		stream = stream->peer) {
		if (stream->client == NULL || stream->version < since ||
			live->sink.pending(stream->client) > LIVE_PENDING_BYTES)
			continue;
		send_shared(live, stream, text);
		if (stream->version < version)
			stream->version = version;
	}
}

/* One that was left out, and has drained, gets a text of its own. */
static void
catch_up(struct live *live, const struct group *group)
{
	for (struct stream *stream = group->streams; stream != NULL;
		stream = stream->peer) {
		struct live_text *text;

		if (stream->client == NULL ||
			stream->version >= group->version ||
			live->sink.pending(stream->client) > DRAINED_BYTES)
			continue;
		text = build(live, group, stream->version, &stream->version);
		if (text != NULL)
			live->sink.send(stream->client, text);
	}
}

static void
send_changes(struct live *live, struct group *group, int64_t now_us)
{
	uint64_t since = group->version;
	struct live_text *text = build(live, group, since, &group->version);

	if (text == NULL) {
		/* Others of its datasources changed: nobody was left out. */
		for (struct stream *stream = group->streams; stream != NULL;
			stream = stream->peer)
			if (stream->version >= since)
				stream->version = group->version;
		return;
	}
	send_to_group(live, group, text, since, group->version);
	live_text_free(text);
	group->sent_us = group->spoke_us = now_us;
}

static void
send_beat(struct live *live, struct group *group, int64_t now_us)
{
	struct live_text *text = build_beat();

	send_to_group(live, group, text, 0, 0);
	live_text_free(text);
	group->spoke_us = now_us;
}

/* Returns when the group wants the next tick. */
static int64_t
tick_group(struct live *live, struct group *group, int64_t now_us)
{
	bool changed = has_changed(live, group);
	int64_t due_us = group->sent_us + EVERY_US;

	if (due_us < group->looked_us + LOOK_US)
		due_us = group->looked_us + LOOK_US;
	if (changed && now_us >= due_us) {
		group->looked_us = now_us;
		send_changes(live, group, now_us);
		changed = false;
	}
	catch_up(live, group);
	if (now_us - group->spoke_us >= BEAT_US)
		send_beat(live, group, now_us);
	return changed ? due_us : group->spoke_us + BEAT_US;
}

int64_t
live_tick(struct live *live, int64_t now_us)
{
	int64_t next_us = now_us + CLOCK_SECOND_US;

	pthread_mutex_lock(&live->lock);
	tick_streams(live, now_us);
	for (struct group *group = live->groups; group != NULL;
		group = group->next) {
		int64_t wanted_us;

		if (group->connected == 0)
			continue;
		wanted_us = tick_group(live, group, now_us);
		if (wanted_us < next_us)
			next_us = wanted_us;
	}
	pthread_mutex_unlock(&live->lock);
	return next_us;
}

/* --- rights
 * ------------------------------------------------------------------- */

void
live_callers(struct live *live, struct arena *arena, struct caller **callers,
	size_t *count)
{
	pthread_mutex_lock(&live->lock);
	*callers = arena_array(arena, live->count, sizeof(**callers));
	*count = 0;
	for (struct stream *stream = live->streams; stream != NULL;
		stream = stream->next) {
		size_t i = 0;

		while (i < *count &&
			!same_credential(&(*callers)[i], stream->caller))
			i++;
		if (i == *count)
			(*callers)[(*count)++] =
				*copy_caller(arena, stream->caller);
	}
	pthread_mutex_unlock(&live->lock);
}

void
live_end(struct live *live, const struct caller *caller, enum live_end end)
{
	pthread_mutex_lock(&live->lock);
	for (struct stream *stream = live->streams; stream != NULL;
		stream = stream->next)
		if (stream->end == LIVE_GOES_ON &&
			same_credential(stream->caller, caller))
			stream->end = end;
	pthread_mutex_unlock(&live->lock);
}

/* Needs: the image's lock. */
static bool
allows_all(const struct group *group, const struct policy *policy)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct variable *meta = &group->variables[i]->meta;

		if (meta->access == ACCESS_NONE ||
			!policy_allows(policy, meta->datasource_id, meta->name,
				POLICY_READ_VALUES))
			return false;
	}
	return true;
}

void
live_recheck(struct live *live, const struct caller *caller,
	const struct policy *policy)
{
	pthread_mutex_lock(&live->lock);
	image_read_lock(live->image);
	for (struct stream *stream = live->streams; stream != NULL;
		stream = stream->next)
		if (stream->end == LIVE_GOES_ON &&
			same_credential(stream->caller, caller) &&
			!allows_all(stream->group, policy))
			stream->end = LIVE_RIGHTS_CHANGED;
	image_unlock(live->image);
	pthread_mutex_unlock(&live->lock);
}

void
live_close_all(struct live *live)
{
	pthread_mutex_lock(&live->lock);
	for (struct stream *stream = live->streams; stream != NULL;
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
	pthread_mutex_destroy(&live->lock);
	free(live);
}
