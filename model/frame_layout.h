/* frame_layout: the numbers of doc/FRAME.md, for the two halves of the codec.
 */
#ifndef FG_MODEL_FRAME_LAYOUT_H
#define FG_MODEL_FRAME_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/wire.h"
#include "model/frame.h"

/* Where things are in the head. */
enum frame_offset {
	FRAME_AT_MAGIC = 0,
	FRAME_AT_VERSION = 4,
	FRAME_AT_FLAGS = 5,
	FRAME_AT_HEAD_BYTES = 6,
	FRAME_AT_TOTAL_BYTES = 8,
	FRAME_AT_CRC = 12,
	FRAME_AT_DATASOURCE = 16,
	FRAME_AT_SPOOL = 32,
	FRAME_AT_SEQUENCE = 40,
	FRAME_AT_FIRST = 48,
	FRAME_AT_LAST = 56,
	FRAME_AT_SAMPLES = 64,
	FRAME_AT_EVENTS = 68,
	FRAME_AT_PAYLOAD_BYTES = 72,
	FRAME_AT_GROUPS = 76,
	FRAME_AT_ALARMS = 80, /* from version 2 on */
};

#define FRAME_MAGIC UINT32_C(0x52464746) /* "FGFR" */

/* How the times of a group are written. */
enum frame_times {
	FRAME_TIMES_SAME = 0,    /* those of the last group that has its own */
	FRAME_TIMES_REGULAR = 1, /* offset of the first, then the step */
	FRAME_TIMES_DELTA = 2,   /* offset, then deltas of deltas */
};

/* How the float64 values of a group are written, from version 2 on. */
enum frame_floats {
	FRAME_FLOATS_PLANES = 0,  /* bits xor those before, byte by byte */
	FRAME_FLOATS_DECIMAL = 1, /* integers over a power of ten */
	FRAME_FLOATS_SINGLE = 2,  /* float32, byte by byte as PLANES */
};

#define FRAME_DECIMALS_MAX 15
/* The integers of FRAME_FLOATS_DECIMAL are exact as doubles. */
#define FRAME_DECIMAL_MAX (INT64_C(1) << 53)

/* Which parts of an alarm change are there. */
enum frame_alarm_parts {
	FRAME_ALARM_CAME = 1,
	FRAME_ALARM_WENT = 2,
	FRAME_ALARM_REACTIVATED = 4,
	FRAME_ALARM_PARTS = 7,
};

/* Which parts of an event are there; version 1 knows the value alone. */
enum frame_event_parts {
	FRAME_EVENT_VALUE = 1,
	FRAME_EVENT_OLD_VALUE = 2,
	FRAME_EVENT_USERNAME = 4,
	FRAME_EVENT_COMPUTER = 8,
	FRAME_EVENT_COMMENT = 16,
	FRAME_EVENT_PARTS = 31,
};

/* 10 to the power of "decimals", exact. */
double frame_power(unsigned decimals);

/* The length of the head of a version that is known. */
size_t frame_head_bytes(unsigned version);

/* Of everything but the checksum's own four bytes. */
uint32_t frame_crc(const uint8_t *data, size_t total_bytes);

/* --- writing -------------------------------------------------------------- */

/* The samples of one variable within the ordered list. */
struct frame_group {
	const struct sample *samples;
	const uint32_t *order; /* indexes into samples */
	size_t count;
};

static inline const struct sample *
frame_member_of(const struct frame_group *group, size_t index)
{
	return &group->samples[group->order[index]];
}

/* The float64 values of a group in the shortest of their forms. */
void frame_put_floats(struct buf *out, const struct frame_group *group);

/* Alarm changes and events, with their times after "first_us".
 * Fails: RC_BAD_INPUT names the field. */
MUST_CHECK enum rc frame_put_alarm(struct buf *out, int64_t first_us,
	const struct alarm_change *change, struct fault *fault);
MUST_CHECK enum rc frame_put_event(struct buf *out, int64_t first_us,
	const struct frame_event *event, struct fault *fault);

/* --- reading -------------------------------------------------------------- */

/* The walk over one payload. */
struct frame_walk {
	struct wire_reader in;
	struct arena *arena;
	struct frame_head head;
	struct wire_reader times; /* of the last group that has its own */
	size_t times_count;       /* 0 = there was none */
	struct fault *fault;
};

enum rc frame_walk_malformed(struct frame_walk *walk, const char *what);

/* A text of "least" to "most" bytes, copied into the walk's arena. */
bool frame_take_text(struct frame_walk *walk, struct wire_reader *in,
	size_t least, size_t most, const char **text, uint32_t *bytes);

/* All "count" values of a group, in whichever form they are. */
bool frame_take_floats(
	struct wire_reader *in, struct sample *samples, size_t count);

MUST_CHECK enum rc frame_take_alarm(
	struct frame_walk *walk, struct alarm_change *change);
MUST_CHECK enum rc frame_take_event(
	struct frame_walk *walk, struct frame_event *event);

#endif
