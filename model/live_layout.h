/*
 * live_layout: the insides of live streams, for the files that are it.
 * Everything here needs the lock of struct live.
 */
#ifndef FG_MODEL_LIVE_LAYOUT_H
#define FG_MODEL_LIVE_LAYOUT_H

#include <pthread.h>

#include "lib/jsonw.h"
#include "lib/secret.h"
#include "model/live.h"

/* How far a text goes. */
struct live_point {
	uint64_t version; /* of the image; 0 = nothing is known */
	uint64_t news;    /* number of the last of the news */
};

/* Streams with the same choices. */
struct live_group {
	struct live_group *next;
	uint8_t key[SECRET_HASH_BYTES];
	/* Of values, the index of a variable is its "ref"; of the others they
	 * are in the order of their ids. */
	struct live_choice choices[LIVE_SUBJECTS];
	bool wants_news;
	struct image_datasource **datasources; /* of the values */
	size_t datasources_count;
	struct live_stream *streams;
	size_t connected;
	struct live_point point; /* of the last text to all */
	int64_t sent_us;         /* steady; when that was */
	int64_t looked_us;       /* steady; when changes were last looked for */
	int64_t spoke_us;        /* steady; last text of any kind to all */
};

struct live_stream {
	struct live_stream *next;
	struct live_stream *peer; /* in the group */
	char id[LIVE_ID_BYTES];
	uint8_t secret[32];
	struct arena *arena; /* of "caller" */
	struct caller *caller;
	struct live_group *group;
	void *client;            /* NULL = not connected */
	struct live_point point; /* of its last text */
	int64_t since_us;        /* steady; when it was made or left */
	int64_t wait_us;         /* how long it is kept without a client */
	enum live_end end;
};

struct live {
	pthread_mutex_t lock;
	struct image *image;
	struct live_sink sink;
	char boot[17];
	struct live_stream *streams;
	size_t count;
	struct live_group *groups;
	size_t wanting; /* groups that want news */
	/* The news: number n is at n % LIVE_NEWS_MAX. */
	struct live_item *ring;
	size_t ring_count;
	size_t ring_bytes;
	uint64_t news; /* the last number; the first is 1 */
};

/* One of the news. */
struct live_item {
	enum live_subject subject;
	int64_t datasource_id;
	int32_t variable_id;
	char *json;
	size_t bytes;
};

/*
 * What changed since "since" (version 0 = a snapshot of everything), of one
 * moment, which is *point. NULL when nothing did. A snapshot as well when news
 * since then have been forgotten.
 */
struct live_text *live_text_changes(struct live *live,
	const struct live_group *group, struct live_point since,
	struct live_point *point);
struct live_text *live_text_beat(void);
struct live_text *live_text_end(enum live_end end);

/* The group of the order's variables, made at first sight. */
struct live_group *live_group_get(
	struct live *live, const struct live_order *order);
void live_group_add(struct live_group *group, struct live_stream *stream);
/* Send the group what it has not been told, out of turn. */
void live_group_flush(struct live *live, struct live_group *group);
/* The last stream takes the group with it. */
void live_group_remove(struct live *live, struct live_stream *stream);

/* Send what is due; returns when the group wants the next tick. */
int64_t live_group_tick(
	struct live *live, struct live_group *group, int64_t now_us);

/* The lowest number of the news that are kept. */
uint64_t live_news_oldest(const struct live *live);
/* The items of the group's choice behind "since" as an array "name"; nothing
 * when there are none. Returns how many. */
size_t live_news_write(const struct live *live, const struct live_group *group,
	enum live_subject subject, const char *name, uint64_t since,
	struct jsonw *json);
void live_news_free(struct live *live);

#endif
