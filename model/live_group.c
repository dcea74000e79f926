/* live_group: streams with the same list of variables, and their ticks. */

#include "model/live_layout.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"

#define EVERY_US (CLOCK_SECOND_US / 10)
/* Finding that nothing changed is work, too. */
#define LOOK_US (CLOCK_SECOND_US / 50)
#define BEAT_US CLOCK_SECOND_US
/* A stream that was left out is drained when this little is pending. */
#define DRAINED_BYTES (16 * 1024)

/* Both lists, with a 0 between, which is no variable. */
static void
group_key(uint8_t key[SECRET_HASH_BYTES], const struct live_order *order)
{
	size_t count = order->count + 1 + order->refused_count;
	int32_t *ids = live_alloc(count, sizeof(*ids));

	for (size_t i = 0; i < order->count; i++)
		ids[i] = order->variables[i]->meta.id;
	for (size_t i = 0; i < order->refused_count; i++)
		ids[order->count + 1 + i] = order->refused[i]->meta.id;
	secret_hash(key, ids, count * sizeof(*ids));
	free(ids);
}

static struct image_variable **
copy_list(struct image_variable *const *list, size_t count)
{
	struct image_variable **copy = live_alloc(count, sizeof(*copy));

	for (size_t i = 0; i < count; i++)
		copy[i] = list[i];
	return copy;
}

static struct live_group *
group_new(const struct live_order *order)
{
	struct live_group *group = live_alloc(1, sizeof(*group));

	group->count = order->count;
	group->variables = copy_list(order->variables, order->count);
	group->refused_count = order->refused_count;
	group->refused = copy_list(order->refused, order->refused_count);
	return group;
}

static void
note_datasource(struct live_group *group, struct image_datasource *datasource)
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

struct live_group *
live_group_get(struct live *live, const struct live_order *order)
{
	uint8_t key[SECRET_HASH_BYTES];
	struct live_group *group = live->groups;

	group_key(key, order);
	while (group != NULL && memcmp(group->key, key, sizeof(key)) != 0)
		group = group->next;
	if (group == NULL) {
		group = group_new(order);
		memcpy(group->key, key, sizeof(key));
		for (size_t i = 0; i < order->count; i++)
			note_datasource(group, order->variables[i]->datasource);
		group->next = live->groups;
		live->groups = group;
	}
	return group;
}

void
live_group_add(struct live_group *group, struct live_stream *stream)
{
	stream->group = group;
	stream->peer = group->streams;
	group->streams = stream;
}

static void
group_free(struct live *live, struct live_group *group)
{
	struct live_group **at = &live->groups;

	while (*at != group)
		at = &(*at)->next;
	*at = group->next;
	free(group->variables);
	free(group->refused);
	free(group->datasources);
	free(group);
}

void
live_group_remove(struct live *live, struct live_stream *stream)
{
	struct live_stream **at = &stream->group->streams;

	while (*at != stream)
		at = &(*at)->peer;
	*at = stream->peer;
	if (stream->group->streams == NULL)
		group_free(live, stream->group);
}

/* --- the tick ----------------------------------------------------------- */

static void
send_shared(
	struct live *live, struct live_stream *stream, struct live_text *text)
{
	atomic_fetch_add(&text->users, 1);
	live->sink.send(stream->client, text);
}

static bool
has_changed(const struct live *live, const struct live_group *group)
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
send_to_group(struct live *live, const struct live_group *group,
	struct live_text *text, uint64_t since, uint64_t version)
{
	for (struct live_stream *stream = group->streams; stream != NULL;
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
catch_up(struct live *live, const struct live_group *group)
{
	for (struct live_stream *stream = group->streams; stream != NULL;
		stream = stream->peer) {
		struct live_text *text;

		if (stream->client == NULL ||
			stream->version >= group->version ||
			live->sink.pending(stream->client) > DRAINED_BYTES)
			continue;
		text = live_text_changes(
			live, group, stream->version, &stream->version);
		if (text != NULL)
			live->sink.send(stream->client, text);
	}
}

static void
send_changes(struct live *live, struct live_group *group, int64_t now_us)
{
	uint64_t since = group->version;
	struct live_text *text =
		live_text_changes(live, group, since, &group->version);

	if (text == NULL) {
		/* Others of its datasources changed: nobody was left out. */
		for (struct live_stream *stream = group->streams;
			stream != NULL; stream = stream->peer)
			if (stream->version >= since)
				stream->version = group->version;
		return;
	}
	send_to_group(live, group, text, since, group->version);
	live_text_free(text);
	group->sent_us = group->spoke_us = now_us;
}

static void
send_beat(struct live *live, struct live_group *group, int64_t now_us)
{
	struct live_text *text = live_text_beat();

	send_to_group(live, group, text, 0, 0);
	live_text_free(text);
	group->spoke_us = now_us;
}

int64_t
live_group_tick(struct live *live, struct live_group *group, int64_t now_us)
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
