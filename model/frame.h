/*
 * frame: samples, alarm changes and events of one datasource, as bytes.
 *
 * The unit of sending, spooling, storing and acknowledging; the layout is
 * doc/FRAME.md. No SQL here: agents use this codec too. A decoder believes
 * nothing: every length and count is checked against the bytes that are there
 * before it is used, and the CRC before anything else is.
 */
#ifndef FG_MODEL_FRAME_H
#define FG_MODEL_FRAME_H

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/fault.h"
#include "model/alarm_change.h"
#include "model/sample.h"

#define FRAME_MEDIA_TYPE       "application/vnd.fieldgrid.frame"
#define FRAME_VERSION          2  /* that is written; 1 is read as well */
#define FRAME_HEAD_BYTES       84 /* of version 2 */
#define FRAME_HEAD_BYTES_1     80
#define FRAME_SAMPLES_MAX      65535
#define FRAME_ALARMS_MAX       4096
#define FRAME_EVENTS_MAX       4096
#define FRAME_PAYLOAD_MAX      (4 * 1024 * 1024) /* before compression */
#define FRAME_BYTES_MAX        (FRAME_HEAD_BYTES + FRAME_PAYLOAD_MAX)
#define FRAME_EVENT_KIND_BYTES 64
#define FRAME_EVENT_TEXT_BYTES 4096 /* of text, values and comment, each */
#define FRAME_EVENT_NAME_BYTES 256  /* of user and computer, each */

enum frame_flags {
	FRAME_PLAIN = 0,
	FRAME_ZSTD = 1, /* compress the payload when that makes it smaller */
};

struct frame_head {
	unsigned version;
	uint8_t datasource[16];
	uint64_t spool_id; /* of the spool that counts the sequence */
	int64_t sequence;  /* of the node, from 1 */
	int64_t first_us;  /* the earliest and the latest time inside */
	int64_t last_us;
	uint32_t samples;
	uint32_t alarms;
	uint32_t events;
	uint32_t crc;
	size_t total_bytes; /* of this frame; the next one follows */
};

struct frame_event {
	int64_t time_us;
	int32_t variable_id;   /* 0 = none */
	const char *kind;      /* UTF-8, 1..64 bytes */
	const char *text;      /* UTF-8, 0..4096 bytes */
	const char *value;     /* as text; NULL = none */
	const char *old_value; /* the one before; NULL = none */
	const char *username;  /* who did it; NULL = nobody */
	const char *computer;  /* where; NULL = unknown */
	const char *comment;   /* of the user; NULL = none */
};

/* What is in a frame. */
struct frame_content {
	const struct sample *samples;
	size_t sample_count;
	const struct alarm_change *alarms;
	size_t alarm_count;
	const struct frame_event *events;
	size_t event_count;
};

/*
 * Append one frame of version 2 to "out". The caller sets datasource, spool_id
 * and sequence of "head"; the rest follows from the content. Samples may come
 * in any order; those of one variable keep theirs, alarm changes and events
 * keep theirs as well.
 * Fails: RC_BAD_INPUT nothing to send, a variable of two kinds, a bad string;
 *        RC_TOO_LARGE more than a frame may hold: send two.
 */
MUST_CHECK enum rc frame_encode(const struct frame_head *head,
	const struct frame_content *content, enum frame_flags flags,
	struct buf *out, struct fault *fault);

/*
 * Check length, version, limits and CRC of the frame at "data" and fill
 * "head". More frames may follow within "length"; see head->total_bytes.
 * Fails: RC_BAD_INPUT FrameTruncated, FrameMalformed or FrameCrc;
 *        RC_UNSUPPORTED FrameVersion; RC_TOO_LARGE.
 */
MUST_CHECK enum rc frame_peek(const void *data, size_t length,
	struct frame_head *head, struct fault *fault);

/*
 * Decode one frame of any version: samples grouped by variable, ids rising,
 * each variable's in the order they were encoded; alarm changes and events in
 * their order.
 * Owns:  everything lives in "arena", strings too.
 * Fails: as frame_peek, and RC_BAD_INPUT FrameMalformed for the payload.
 */
MUST_CHECK enum rc frame_decode(const void *data, size_t length,
	struct arena *arena, struct frame_head *head,
	struct frame_content *content, struct fault *fault);

/* What frame_each hands over. A NULL function skips that part. */
struct frame_visitor {
	const int32_t *variable_ids; /* rising; NULL = every variable */
	size_t variable_count;
	/* Samples of one variable; a long one comes in several calls. */
	enum rc (*samples)(void *context, const struct sample *samples,
		size_t count, struct fault *fault);
	enum rc (*alarm)(void *context, const struct alarm_change *change,
		struct fault *fault);
	enum rc (*event)(void *context, const struct frame_event *event,
		struct fault *fault);
	void *context;
};

/*
 * Walk one frame without keeping it. What the visitor sees is valid during
 * the call only. "scratch" holds the decompressed payload.
 * Fails: as frame_decode, or whatever the visitor returns, at once.
 */
MUST_CHECK enum rc frame_each(const void *data, size_t length,
	struct arena *scratch, const struct frame_visitor *visitor,
	struct fault *fault);

/* Strings of frames end up in text columns: UTF-8 without a zero byte. */
bool frame_text_valid(const char *text, size_t bytes);

#endif
