/* notice: events about the agent itself, on their way into the next frame. */
#ifndef FG_AGENTS_NOTICE_H
#define FG_AGENTS_NOTICE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

#define NOTICES_MAX       32
#define NOTICE_TEXT_BYTES 320

struct notice {
	int64_t time_us;
	const char *kind; /* a constant */
	char text[NOTICE_TEXT_BYTES];
};

/* Shared by threads. More than NOTICES_MAX are counted, not kept. */
struct notices {
	pthread_mutex_t lock;
	size_t count;
	size_t missed;
	struct notice items[NOTICES_MAX];
};

void notices_init(struct notices *notices);
void notices_destroy(struct notices *notices);

void notices_add(struct notices *notices, const char *kind, const char *format,
	...) PRINTF_LIKE(3, 4);

/* Copies to "items" (room for NOTICES_MAX); they stay until notices_done. */
size_t notices_peek(struct notices *notices, struct notice *items);
void notices_done(struct notices *notices, size_t count);

#endif
