/* buf: bytes that grow at the end, up to a limit. */

#include "lib/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define LIMIT_DEFAULT_BYTES ((size_t)64 * 1024 * 1024)
#define FIRST_BYTES         ((size_t)256)

void
buf_init(struct buf *buf, size_t limit_bytes)
{
	memset(buf, 0, sizeof(*buf));
	buf->limit_bytes = limit_bytes != 0 ? limit_bytes : LIMIT_DEFAULT_BYTES;
}

void
buf_free(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->limit_bytes);
}

void
buf_clear(struct buf *buf)
{
	buf->length = 0;
	buf->overflow = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void
buf_wipe(struct buf *buf)
{
	if (buf->data != NULL)
		explicit_bzero(buf->data, buf->length);
	buf_clear(buf);
}

static void
grow(struct buf *buf, size_t needed)
{
	size_t capacity = buf->capacity != 0 ? buf->capacity : FIRST_BYTES;

	while (capacity < needed)
		capacity *= 2;
	buf->data = realloc(buf->data, capacity);
	if (buf->data == NULL) {
		log_error(NULL, "out of memory: %zu bytes", capacity);
		abort();
	}
	buf->capacity = capacity;
}

void *
buf_reserve(struct buf *buf, size_t bytes)
{
	if (buf->overflow || bytes > buf->limit_bytes - buf->length) {
		buf->overflow = true;
		return NULL;
	}
	if (buf->capacity < buf->length + bytes + 1)
		grow(buf, buf->length + bytes + 1);
	return buf->data + buf->length;
}

void
buf_add(struct buf *buf, const void *data, size_t bytes)
{
	char *end = buf_reserve(buf, bytes);

	if (end == NULL)
		return;
	if (bytes > 0)
		memcpy(end, data, bytes);
	buf->length += bytes;
	buf->data[buf->length] = '\0';
}

void
buf_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_char(struct buf *buf, char byte)
{
	buf_add(buf, &byte, 1);
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	va_list again;
	char *end;
	int length;

	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	end = length < 0 ? NULL : buf_reserve(buf, (size_t)length);
	if (end != NULL) {
		vsnprintf(end, (size_t)length + 1, format, again);
		buf->length += (size_t)length;
	}
	va_end(again);
}
