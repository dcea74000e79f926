/*
 * jsonr: a streaming reader of JSON, for long columns of numbers.
 *
 * It hands out one token at a time and keeps nothing but the last text, so
 * its memory does not grow with the input. It is strict (RFC 8259, UTF-8).
 * Short bodies are simpler with lib/field.h.
 */
#ifndef FG_LIB_JSONR_H
#define FG_LIB_JSONR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

#define JSONR_DEPTH_MAX 16

enum jsonr_token {
	JSONR_BROKEN, /* not JSON; "at" is where */
	JSONR_END,
	JSONR_OBJECT,
	JSONR_OBJECT_END,
	JSONR_ARRAY,
	JSONR_ARRAY_END,
	JSONR_KEY,    /* text */
	JSONR_STRING, /* text */
	JSONR_INT,    /* integer, and number */
	JSONR_NUM,    /* number: has a fraction, an exponent, or is too big */
	JSONR_TRUE,
	JSONR_FALSE,
	JSONR_NULL,
};

struct jsonr {
	const char *start;
	const char *at;
	const char *end;
	struct buf text; /* of the last key or string, without escapes */
	int64_t integer;
	double number;
	const char *raw; /* the last number as written */
	size_t raw_bytes;
	int depth;
	bool in_object[JSONR_DEPTH_MAX];
	int state;
};

/* "text" must stay until jsonr_free, and have a zero byte behind it. */
void jsonr_init(struct jsonr *json, const char *text, size_t length);
void jsonr_free(struct jsonr *json);

enum jsonr_token jsonr_next(struct jsonr *json);

/* Where the reader is, in bytes from the start; for messages. */
size_t jsonr_offset(const struct jsonr *json);

#endif
