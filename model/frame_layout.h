/* frame_layout: the numbers of doc/FRAME.md, for the two halves of the codec.
 */
#ifndef FG_MODEL_FRAME_LAYOUT_H
#define FG_MODEL_FRAME_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

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
};

#define FRAME_MAGIC UINT32_C(0x52464746) /* "FGFR" */

/* How the times of a group are written. */
enum frame_times {
	FRAME_TIMES_SAME = 0,    /* those of the last group that has its own */
	FRAME_TIMES_REGULAR = 1, /* offset of the first, then the step */
	FRAME_TIMES_DELTA = 2,   /* offset, then deltas of deltas */
};

/* Of everything but the checksum's own four bytes. */
uint32_t frame_crc(const uint8_t *data, size_t total_bytes);

/* Strings of frames end up in text columns: UTF-8 without a zero byte. */
bool frame_text_valid(const char *text, size_t bytes);

#endif
