/*
 * buf: bytes that grow at the end, up to a limit.
 *
 * data[0..length) is what has been written; there is always one zero byte
 * behind it, so a text buffer can be used as a C string. Past "limit_bytes"
 * further writes are dropped and "overflow" is set: check it once, at the end.
 */
#ifndef FG_LIB_BUF_H
#define FG_LIB_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/attr.h"

struct buf {
	char *data;
	size_t length;
	size_t capacity;
	size_t limit_bytes;
	bool overflow;
};

/* limit_bytes 0 means 64 MiB. Freed by buf_free. */
void buf_init(struct buf *buf, size_t limit_bytes);
void buf_free(struct buf *buf);
void buf_clear(struct buf *buf);
/* As buf_clear, and overwrite what it held. */
void buf_wipe(struct buf *buf);

/* Room for "bytes" more; NULL when that would pass the limit. */
void *buf_reserve(struct buf *buf, size_t bytes);

void buf_add(struct buf *buf, const void *data, size_t bytes);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char byte);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
