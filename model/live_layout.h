/*
 * live_layout: the insides of live streams, for the files that are it.
 * Everything here needs the lock of struct live.
 */
#ifndef FG_MODEL_LIVE_LAYOUT_H
#define FG_MODEL_LIVE_LAYOUT_H

#include <pthread.h>

#include "lib/secret.h"
#include "model/live.h"

/* Streams with the same lists of variables, told and refused. */
struct live_group {
	struct live_group *next;
	uint8_t key[SECRET_HASH_BYTES];
	struct image_variable **variables; /* the index is the "ref" */
	size_t count;
	struct image_variable **refused;
	size_t refused_count;
	struct image_datasource **datasources; /* of the variables */
	size_t datasources_count;
	struct live_stream *streams;
	size_t connected;
	uint64_t version;  /* of the image in the last text to all */
	int64_t sent_us;   /* steady; when that was */
	int64_t looked_us; /* steady; when changes were last looked for */
	int64_t spoke_us;  /* steady; last text of any kind to all */
};

struct live_stream {
	struct live_stream *next;
	struct live_stream *peer; /* in the group */
	char id[LIVE_ID_BYTES];
	uint8_t secret[32];
	struct arena *arena; /* of "caller" */
	struct caller *caller;
	struct live_group *group;
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
	struct live_stream *streams;
	size_t count;
	struct live_group *groups;
};

/* Zeroed memory; none is the end of the process. */
void *live_alloc(size_t count, size_t bytes);

/*
 * What changed since "since" (0 = a snapshot of everything), of one moment,
 * whose version is *version. NULL when nothing did.
 */
struct live_text *live_text_changes(struct live *live,
	const struct live_group *group, uint64_t since, uint64_t *version);
struct live_text *live_text_beat(void);
struct live_text *live_text_end(enum live_end end);

/* The group of the order's variables, made at first sight. */
struct live_group *live_group_get(
	struct live *live, const struct live_order *order);
void live_group_add(struct live_group *group, struct live_stream *stream);
/* The last stream takes the group with it. */
void live_group_remove(struct live *live, struct live_stream *stream);

/* Send what is due; returns when the group wants the next tick. */
int64_t live_group_tick(
	struct live *live, struct live_group *group, int64_t now_us);

#endif
