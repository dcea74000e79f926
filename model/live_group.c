/* live_group: streams with the same list of variables, and their ticks. */

#include "model/live_layout.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/memory.h"

#define EVERY_US (CLOCK_SECOND_US / 10)
/* Finding that nothing changed is work, too. */
#define LOOK_US (CLOCK_SECOND_US / 50)
#define BEAT_US CLOCK_SECOND_US
/* A stream that was left out is drained when this little is pending. */
#define DRAINED_BYTES (16 * 1024)

/* A list of ids and a 0, which is none, behind it. */
static size_t
add_variables(
	int64_t *ids, struct image_variable *const *variables, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ids[i] = variables[i]->meta.id;
	ids[count] = 0;
	return count + 1;
}

static size_t
add_datasources(
	int64_t *ids, struct image_datasource *const *datasources, size_t count)
{
	for (size_t i = 0; i < count; i++)
		ids[i] = datasources[i]->id;
	ids[count] = 0;
	return count + 1;
}

static void
group_key(uint8_t key[SECRET_HASH_BYTES], const struct live_order *order)
{
	size_t count = 0;
	int64_t *ids;

	for (int i = 0; i < LIVE_SUBJECTS; i++)
		count += order->choices[i].count +
			 order->choices[i].refused_count +
			 order->choices[i].whole_count +
			 order->choices[i].refused_whole_count + 4;
	ids = memory_new(count, sizeof(*ids));
	count = 0;
	for (int i = 0; i < LIVE_SUBJECTS; i++) {
		const struct live_choice *choice = &order->choices[i];

		count += add_variables(
			ids + count, choice->variables, choice->count);
		count += add_variables(
			ids + count, choice->refused, choice->refused_count);
		count += add_datasources(
			ids + count, choice->whole, choice->whole_count);
		count += add_datasources(ids + count, choice->refused_whole,
			choice->refused_whole_count);
	}
	secret_hash(key, ids, count * sizeof(*ids));
	free(ids);
}

static void *
copy_list(const void *list, size_t count, size_t bytes)
{
	void *copy = memory_new(count, bytes);

	if (count > 0)
		memcpy(copy, list, count * bytes);
	return copy;
}

#define COPY_LIST(member, number)                                              \
	copy.member = copy_list(                                               \
		choice->member, choice->number, sizeof(*choice->member))

static struct live_choice
copy_choice(const struct live_choice *choice)
{
	struct live_choice copy = *choice;

	COPY_LIST(variables, count);
	COPY_LIST(refused, refused_count);
	COPY_LIST(whole, whole_count);
	COPY_LIST(refused_whole, refused_whole_count);
	return copy;
}

static void
free_choice(struct live_choice *choice)
{
	free((void *)choice->variables);
	free((void *)choice->refused);
	free((void *)choice->whole);
	free((void *)choice->refused_whole);
}

static int
compare_ids(const void *left, const void *right)
{
	const struct image_variable *const *one = left;
	const struct image_variable *const *other = right;

	return ((*one)->meta.id > (*other)->meta.id) -
	       ((*one)->meta.id < (*other)->meta.id);
}

static struct live_group *
group_new(const struct live_order *order)
{
	struct live_group *group = memory_new(1, sizeof(*group));

	for (int i = 0; i < LIVE_SUBJECTS; i++) {
		struct live_choice *choice = &group->choices[i];

		*choice = copy_choice(&order->choices[i]);
		if (i == LIVE_VALUES)
			continue;
		qsort((void *)choice->variables, choice->count,
			sizeof(*choice->variables), compare_ids);
		group->wants_news |= choice->count + choice->whole_count > 0;
	}
	return group;
}

static void
note_datasource(struct live_group *group, struct image_datasource *datasource)
{
	for (size_t i = 0; i < group->datasources_count; i++)
		if (group->datasources[i] == datasource)
			return;
	group->datasources = memory_grow(group->datasources,
		group->datasources_count + 1, sizeof(*group->datasources));
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
		for (size_t i = 0; i < group->choices[LIVE_VALUES].count; i++)
			note_datasource(group, group->choices[LIVE_VALUES]
						       .variables[i]
						       ->datasource);
		group->next = live->groups;
		live->groups = group;
		live->wanting += group->wants_news;
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
	live->wanting -= group->wants_news;
	for (int i = 0; i < LIVE_SUBJECTS; i++)
		free_choice(&group->choices[i]);
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
	bool changed = group->wants_news && group->point.news != live->news;

	if (changed || image_version(live->image) == group->point.version)
		return changed;
	image_read_lock(live->image);
	for (size_t i = 0; i < group->datasources_count && !changed; i++)
		changed = group->datasources[i]->version > group->point.version;
	image_unlock(live->image);
	return changed;
}

/* Whether a text that begins at "since" leaves nothing out behind "point". */
static bool
follows(struct live_point point, struct live_point since)
{
	return point.version >= since.version && point.news >= since.news;
}

static void
advance(struct live_point *point, struct live_point to)
{
	if (point->version < to.version)
		point->version = to.version;
	if (point->news < to.news)
		point->news = to.news;
}

/* The streams of the group that have everything up to "since" and keep up. */
static void
send_to_group(struct live *live, const struct live_group *group,
	struct live_text *text, struct live_point since,
	struct live_point point)
{
	for (struct live_stream *stream = group->streams; stream != NULL;
		stream = stream->peer) {
		if (stream->client == NULL || !follows(stream->point, since) ||
			live->sink.pending(stream->client) > LIVE_PENDING_BYTES)
			continue;
		send_shared(live, stream, text);
		advance(&stream->point, point);
	}
}

/* One that was left out, and has drained, gets a text of its own; not while
 * the group has news to come, or it would be told them twice. */
static void
catch_up(struct live *live, const struct live_group *group)
{
	if (group->wants_news && group->point.news != live->news)
		return;
	for (struct live_stream *stream = group->streams; stream != NULL;
		stream = stream->peer) {
		struct live_text *text;

		if (stream->client == NULL ||
			follows(stream->point, group->point) ||
			live->sink.pending(stream->client) > DRAINED_BYTES)
			continue;
		text = live_text_changes(
			live, group, stream->point, &stream->point);
		if (text != NULL)
			live->sink.send(stream->client, text);
	}
}

static void
send_changes(struct live *live, struct live_group *group, int64_t now_us)
{
	struct live_point since = group->point;
	struct live_text *text =
		live_text_changes(live, group, since, &group->point);

	if (text == NULL) {
		/* Others of its datasources changed: nobody was left out. */
		for (struct live_stream *stream = group->streams;
			stream != NULL; stream = stream->peer)
			if (follows(stream->point, since))
				advance(&stream->point, group->point);
		return;
	}
	send_to_group(live, group, text, since, group->point);
	live_text_free(text);
	group->sent_us = group->spoke_us = now_us;
}

void
live_group_flush(struct live *live, struct live_group *group)
{
	if (group->connected > 0 && has_changed(live, group))
		send_changes(live, group, clock_steady_us());
}

static void
send_beat(struct live *live, struct live_group *group, int64_t now_us)
{
	struct live_text *text = live_text_beat();

	send_to_group(live, group, text, (struct live_point){0, 0},
		(struct live_point){0, 0});
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
