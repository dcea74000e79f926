/* live_text: what streams are told, as server-sent events. */

#include "model/live_layout.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/clock.h"
#include "lib/encode.h"
#include "lib/jsonw.h"
#include "lib/memory.h"
#include "model/value_json.h"

static struct live_text *
text_new(void)
{
	struct live_text *text = memory_new(1, sizeof(*text));

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
	value_write(json, NULL, &variable->value);
	if (variable->value.kind == VALUE_NONE)
		jsonw_null(json, NULL);
	else
		jsonw_int(json, NULL, variable->time_us / 1000);
	jsonw_uint(json, NULL, variable->status);
	jsonw_close_arr(json);
}

/* The values that changed since "version"; 0 = all. Returns how many. */
static size_t
write_values(
	struct jsonw *json, const struct live_group *group, uint64_t version)
{
	const struct live_choice *choice = &group->choices[LIVE_VALUES];
	size_t written = 0;

	jsonw_open_arr(json, "values");
	for (size_t i = 0; i < choice->count; i++) {
		if (version != 0 && choice->variables[i]->version <= version)
			continue;
		write_value(json, choice->variables[i], i);
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
count_datasources(const struct live_group *group, uint64_t version)
{
	size_t changed = 0;

	for (size_t i = 0; i < group->datasources_count; i++)
		changed += version == 0 ||
			   group->datasources[i]->online_version > version;
	return changed;
}

static void
write_datasources(
	struct jsonw *json, const struct live_group *group, uint64_t version)
{
	jsonw_open_arr(json, "datasources");
	for (size_t i = 0; i < group->datasources_count; i++)
		if (version == 0 ||
			group->datasources[i]->online_version > version)
			write_datasource(json, group->datasources[i]);
	jsonw_close_arr(json);
}

/* Needs: the image's lock. Returns how much there was to tell. */
static size_t
write_image(
	struct jsonw *json, const struct live_group *group, uint64_t version)
{
	size_t values = write_values(json, group, version);
	size_t datasources = count_datasources(group, version);

	if (datasources > 0)
		write_datasources(json, group, version);
	return values + datasources;
}

/* In a snapshot there are none: who reads it reads the lists as well. */
static size_t
write_news(struct jsonw *json, const struct live *live,
	const struct live_group *group, struct live_point since)
{
	if (!group->wants_news || since.version == 0 ||
		since.news == live->news)
		return 0;
	return live_news_write(
		       live, group, LIVE_ALARMS, "alarms", since.news, json) +
	       live_news_write(
		       live, group, LIVE_EVENTS, "events", since.news, json);
}

static bool
has_missed(const struct live *live, const struct live_group *group,
	struct live_point since)
{
	return group->wants_news && since.news + 1 < live_news_oldest(live);
}

struct live_text *
live_text_changes(struct live *live, const struct live_group *group,
	struct live_point since, struct live_point *point)
{
	struct live_text *text = text_new();
	struct jsonw json;
	size_t told;

	if (has_missed(live, group, since))
		since.version = 0;
	image_read_lock(live->image);
	*point = (struct live_point){image_version(live->image), live->news};
	buf_printf(&text->buf,
		"event: %s\nid: %s-%" PRIu64 "-%" PRIu64 "\ndata: ",
		since.version == 0 ? "snapshot" : "values", live->boot,
		point->version, point->news);
	jsonw_init(&json, &text->buf);
	jsonw_open_obj(&json, NULL);
	jsonw_time(&json, "time", clock_now_us());
	told = write_image(&json, group, since.version);
	image_unlock(live->image);
	told += write_news(&json, live, group, since);
	jsonw_close_obj(&json);
	buf_text(&text->buf, "\n\n");
	if (since.version == 0 || told > 0)
		return text;
	live_text_free(text);
	return NULL;
}

struct live_text *
live_text_beat(void)
{
	struct live_text *text = text_new();
	char time[CLOCK_TEXT_BYTES];

	clock_format(time, clock_now_us());
	buf_printf(
		&text->buf, "event: beat\ndata: {\"time\":\"%s\"}\n\n", time);
	return text;
}

struct live_text *
live_text_end(enum live_end end)
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
