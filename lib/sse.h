/*
 * sse: a reader of server-sent events, from whatever pieces they come in.
 *
 * After the HTML standard, 9.2.6, but for "retry". Only whole events with data
 * are told; one that is longer than "limit_bytes" is left out.
 */
#ifndef FG_LIB_SSE_H
#define FG_LIB_SSE_H

#include <stddef.h>

#include "lib/buf.h"

struct sse {
	/* "name" is "message" when the event has none; both end with it. */
	void (*take)(void *context, const char *name, const char *data,
		size_t length);
	void *context;
	struct buf line;
	struct buf name;
	struct buf data;
	bool has_data;
	bool after_cr;
};

/* Freed by sse_free. */
void sse_init(struct sse *sse, size_t limit_bytes);
void sse_free(struct sse *sse);

/* The next bytes of the stream; calls "take" for each event they end. */
void sse_feed(struct sse *sse, const char *bytes, size_t length);

/* Forget an event that has begun: another stream follows. */
void sse_reset(struct sse *sse);

#endif
