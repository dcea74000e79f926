/* live_news: changes of alarms and events, kept for the streams. */

#include "model/live_layout.h"

#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"

uint64_t
live_news_oldest(const struct live *live)
{
	return live->news - live->ring_count + 1;
}

static struct live_item *
item(const struct live *live, uint64_t number)
{
	return &live->ring[number % LIVE_NEWS_MAX];
}

static void
forget_oldest(struct live *live)
{
	struct live_item *oldest = item(live, live_news_oldest(live));

	live->ring_bytes -= oldest->bytes;
	live->ring_count--;
	free(oldest->json);
	oldest->json = NULL;
}

static void
add(struct live *live, const struct live_news *news)
{
	size_t bytes = strlen(news->json) + 1;
	struct live_item *place;

	if (live->ring == NULL)
		live->ring = memory_new(LIVE_NEWS_MAX, sizeof(*live->ring));
	while (live->ring_count > 0 &&
		(live->ring_count == LIVE_NEWS_MAX ||
			live->ring_bytes + bytes > LIVE_NEWS_BYTES))
		forget_oldest(live);
	place = item(live, ++live->news);
	*place = (struct live_item){
		.subject = news->subject,
		.datasource_id = news->datasource_id,
		.variable_id = news->variable_id,
		.json = memory_new(bytes, 1),
		.bytes = bytes,
	};
	memcpy(place->json, news->json, bytes);
	live->ring_count++;
	live->ring_bytes += bytes;
}

void
live_news_add(struct live *live, const struct live_news *news, size_t count)
{
	pthread_mutex_lock(&live->lock);
	for (size_t i = 0; i < count; i++)
		add(live, &news[i]);
	pthread_mutex_unlock(&live->lock);
}

/* A number that nobody has, and nothing at it. */
void
live_news_lost(struct live *live)
{
	pthread_mutex_lock(&live->lock);
	while (live->ring_count > 0)
		forget_oldest(live);
	live->news++;
	pthread_mutex_unlock(&live->lock);
}

bool
live_news_wanted(struct live *live)
{
	bool wanted;

	pthread_mutex_lock(&live->lock);
	wanted = live->wanting > 0;
	pthread_mutex_unlock(&live->lock);
	return wanted;
}

void
live_news_free(struct live *live)
{
	while (live->ring_count > 0)
		forget_oldest(live);
	free(live->ring);
}

/* --- telling -------------------------------------------------------------- */

static int
compare_id(const void *key, const void *element)
{
	const struct image_variable *const *variable = element;
	int32_t id = *(const int32_t *)key;

	return (id > (*variable)->meta.id) - (id < (*variable)->meta.id);
}

/* What is of the grid is for those who may read all of a datasource. */
static bool
is_chosen(const struct live_choice *choice, const struct live_item *news)
{
	if (news->variable_id != 0)
		return choice->count > 0 &&
		       bsearch(&news->variable_id, choice->variables,
			       choice->count, sizeof(struct image_variable *),
			       compare_id) != NULL;
	if (news->datasource_id == 0)
		return choice->whole_count > 0;
	for (size_t i = 0; i < choice->whole_count; i++)
		if (choice->whole[i]->id == news->datasource_id)
			return true;
	return false;
}

size_t
live_news_write(const struct live *live, const struct live_group *group,
	enum live_subject subject, const char *name, uint64_t since,
	struct jsonw *json)
{
	const struct live_choice *choice = &group->choices[subject];
	uint64_t number = live_news_oldest(live);
	size_t written = 0;

	if (number <= since)
		number = since + 1;
	for (; number <= live->news; number++) {
		const struct live_item *news = item(live, number);

		if (news->subject != subject || !is_chosen(choice, news))
			continue;
		if (written++ == 0)
			jsonw_open_arr(json, name);
		jsonw_raw(json, NULL, news->json);
	}
	if (written > 0)
		jsonw_close_arr(json);
	return written;
}
