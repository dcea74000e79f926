/* notice: events about the agent itself, on their way into the next frame. */

#include "agents/notice.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/log.h"

void
notices_init(struct notices *notices)
{
	memset(notices, 0, sizeof(*notices));
	pthread_mutex_init(&notices->lock, NULL);
}

void
notices_destroy(struct notices *notices)
{
	pthread_mutex_destroy(&notices->lock);
}

void
notices_add(struct notices *notices, const char *kind, const char *format, ...)
{
	char text[NOTICE_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_warn(NULL, "%s: %s", kind, text);
	pthread_mutex_lock(&notices->lock);
	if (notices->count < NOTICES_MAX) {
		struct notice *notice = &notices->items[notices->count++];

		notice->time_us = plant_clock_us();
		notice->kind = kind;
		memcpy(notice->text, text, sizeof(text));
	} else {
		notices->missed++;
	}
	pthread_mutex_unlock(&notices->lock);
}

size_t
notices_peek(struct notices *notices, struct notice *items)
{
	size_t count;

	pthread_mutex_lock(&notices->lock);
	count = notices->count;
	memcpy(items, notices->items, count * sizeof(*items));
	if (notices->missed > 0 && count > 0) {
		struct notice *last = &items[count - 1];
		size_t length = strlen(last->text);

		snprintf(last->text + length, sizeof(last->text) - length,
			" (and %zu more notices)", notices->missed);
	}
	pthread_mutex_unlock(&notices->lock);
	return count;
}

void
notices_done(struct notices *notices, size_t count)
{
	pthread_mutex_lock(&notices->lock);
	notices->count -= count;
	notices->missed = 0;
	memmove(notices->items, notices->items + count,
		notices->count * sizeof(*notices->items));
	pthread_mutex_unlock(&notices->lock);
}
