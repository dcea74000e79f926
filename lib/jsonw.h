/*
 * jsonw: a streaming writer of compact JSON into a buf.
 *
 * Inside an object every value takes its key, inside an array the key is
 * NULL. Commas and escapes are the writer's; nesting is the caller's.
 */
#ifndef FG_LIB_JSONW_H
#define FG_LIB_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/buf.h"

struct jsonw {
	struct buf *out;
	bool comma; /* the next value needs one before it */
};

void jsonw_init(struct jsonw *json, struct buf *out);
/* A writer whose text lives in "arena": json->out->data. */
struct jsonw *jsonw_in(struct arena *arena);
void jsonw_open_obj(struct jsonw *json, const char *key);
void jsonw_close_obj(struct jsonw *json);
void jsonw_open_arr(struct jsonw *json, const char *key);
void jsonw_close_arr(struct jsonw *json);

/* NULL text is written as null. Bytes that are not UTF-8 become U+FFFD. */
void jsonw_str(struct jsonw *json, const char *key, const char *text);
void jsonw_strn(
	struct jsonw *json, const char *key, const char *text, size_t length);
void jsonw_int(struct jsonw *json, const char *key, int64_t number);
void jsonw_uint(struct jsonw *json, const char *key, uint64_t number);
/* The shortest text that reads back as the same double; NaN and infinities,
 * which JSON cannot say, are written as null. */
void jsonw_num(struct jsonw *json, const char *key, double number);
void jsonw_bool(struct jsonw *json, const char *key, bool truth);
void jsonw_null(struct jsonw *json, const char *key);
/* ISO 8601 UTC with milliseconds and Z; INT64_MIN is written as null. */
void jsonw_time(struct jsonw *json, const char *key, int64_t time_us);
/* Text that is JSON already. */
void jsonw_raw(struct jsonw *json, const char *key, const char *text);

#endif
