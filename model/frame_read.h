/*
 * frame_read: the grammar of JSON frames: objects by tables of members, and
 * single values.
 */
#ifndef FG_MODEL_FRAME_READ_H
#define FG_MODEL_FRAME_READ_H

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/fault.h"
#include "lib/jsonr.h"
#include "model/sample.h"

/* What is read, and the columns that are kept from frame to frame. */
struct frame_reader {
	struct jsonr json;
	struct arena *arena;
	struct fault *fault;
	struct buf samples;  /* struct sample */
	struct buf series;   /* struct frame_json_series */
	struct buf alarms;   /* struct frame_json_alarm */
	struct buf events;   /* struct frame_json_event */
	struct buf shared;   /* int64_t, the times of the frame */
	struct buf times;    /* int64_t, of one series */
	struct buf values;   /* struct value */
	struct buf statuses; /* uint64_t */
	bool has_shared;
};

/* Where a member's value goes. */
typedef enum rc frame_member_fn(struct frame_reader *reader, void *target);

struct frame_member {
	const char *name;
	frame_member_fn *read;
	size_t offset; /* in the target */
};

/* Record that "expected" was expected where the reader is. */
enum rc frame_malformed(struct frame_reader *reader, const char *expected);
enum rc frame_too_large(
	struct frame_reader *reader, const char *what, size_t limit);

/* The members of an object whose opening brace has been read. */
MUST_CHECK enum rc frame_read_members(struct frame_reader *reader,
	const struct frame_member *members, void *target);

/* An array of objects: "each" reads one, behind its opening brace. */
MUST_CHECK enum rc frame_read_objects(
	struct frame_reader *reader, frame_member_fn *each, void *target);

/* Members of one value, into int64_t, const char *, uint8_t[16], uint64_t. */
frame_member_fn frame_read_int;
frame_member_fn frame_read_text;
frame_member_fn frame_read_uuid;
frame_member_fn frame_read_spool;
/* A text, a number as written, a boolean, or null: into const char *. */
frame_member_fn frame_read_any;
/* A text or null, into const char *. */
frame_member_fn frame_read_maybe_text;
/* Any value, into struct value; null is VALUE_NONE. */
frame_member_fn frame_read_value;

/* The token as a value; false for what is none, such as the end of an array. */
bool frame_take_value(struct frame_reader *reader, enum jsonr_token token,
	struct value *value);

/* An alarm change behind its opening brace, into reader->alarms. */
frame_member_fn frame_read_alarm;

#endif
