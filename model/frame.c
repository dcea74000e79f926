/* frame: the head of a frame, and what both halves of the codec share. */

#include "model/frame.h"

#include <string.h>

#include "lib/crc32c.h"
#include "lib/utf8.h"
#include "lib/wire.h"
#include "model/frame_layout.h"

bool
frame_text_valid(const char *text, size_t bytes)
{
	return memchr(text, '\0', bytes) == NULL && utf8_valid(text, bytes);
}

double
frame_power(unsigned decimals)
{
	static const double powers[FRAME_DECIMALS_MAX + 1] = {1e0, 1e1, 1e2,
		1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
		1e15};

	return powers[decimals];
}

size_t
frame_head_bytes(unsigned version)
{
	return version == 1 ? FRAME_HEAD_BYTES_1 : FRAME_HEAD_BYTES;
}

uint32_t
frame_crc(const uint8_t *data, size_t total_bytes)
{
	uint32_t crc = crc32c(0, data, FRAME_AT_CRC);

	return crc32c(crc, data + FRAME_AT_DATASOURCE,
		total_bytes - FRAME_AT_DATASOURCE);
}

static enum rc
truncated(size_t length, size_t needed, struct fault *fault)
{
	return fault_tell(fault, RC_BAD_INPUT, "FrameTruncated", NULL,
		"The frame ends after %zu of %zu bytes.", length, needed);
}

/* What can be said of the first bytes before the checksum is known. */
static enum rc
check_start(const uint8_t *data, size_t length, struct fault *fault)
{
	if (length < FRAME_HEAD_BYTES_1)
		return truncated(length, FRAME_HEAD_BYTES_1, fault);
	if (wire_u32(data + FRAME_AT_MAGIC) != FRAME_MAGIC)
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", NULL,
			"This is no frame: it does not begin with FGFR.");
	if (data[FRAME_AT_VERSION] < 1 ||
		data[FRAME_AT_VERSION] > FRAME_VERSION)
		return fault_tell(fault, RC_UNSUPPORTED, "FrameVersion", NULL,
			"Frame version %u is not known here; send version %d.",
			data[FRAME_AT_VERSION], FRAME_VERSION);
	if (wire_u16(data + FRAME_AT_HEAD_BYTES) !=
			frame_head_bytes(data[FRAME_AT_VERSION]) ||
		(data[FRAME_AT_FLAGS] & ~FRAME_ZSTD) != 0)
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", NULL,
			"The frame's head has an unknown form.");
	return RC_OK;
}

static enum rc
check_limits(
	const uint8_t *data, const struct frame_head *head, struct fault *fault)
{
	uint32_t payload = wire_u32(data + FRAME_AT_PAYLOAD_BYTES);
	bool plain = data[FRAME_AT_FLAGS] == FRAME_PLAIN;

	if (head->samples > FRAME_SAMPLES_MAX ||
		head->alarms > FRAME_ALARMS_MAX ||
		head->events > FRAME_EVENTS_MAX || payload > FRAME_PAYLOAD_MAX)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
			"A frame may hold %d samples, %d alarm changes, %d "
			"events and %d bytes.",
			FRAME_SAMPLES_MAX, FRAME_ALARMS_MAX, FRAME_EVENTS_MAX,
			FRAME_PAYLOAD_MAX);
	if (head->samples + head->alarms + head->events == 0 ||
		head->sequence < 1 || head->first_us > head->last_us ||
		(head->samples + 7) / 8 > payload ||
		wire_u32(data + FRAME_AT_GROUPS) > head->samples ||
		(plain && head->total_bytes - frame_head_bytes(head->version) !=
				  payload))
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", NULL,
			"The numbers in the frame's head contradict each "
			"other.");
	return RC_OK;
}

static enum rc
check_length(const struct frame_head *head, size_t length, struct fault *fault)
{
	if (head->total_bytes > FRAME_BYTES_MAX)
		return fault_tell(fault, RC_TOO_LARGE, "TooLarge", NULL,
			"A frame may have %d bytes, this one has %zu.",
			FRAME_BYTES_MAX, head->total_bytes);
	if (head->total_bytes < frame_head_bytes(head->version))
		return fault_tell(fault, RC_BAD_INPUT, "FrameMalformed", NULL,
			"The frame's length is less than its head.");
	return head->total_bytes > length
		       ? truncated(length, head->total_bytes, fault)
		       : RC_OK;
}

static void
read_head(const uint8_t *at, struct frame_head *head)
{
	head->version = at[FRAME_AT_VERSION];
	memcpy(head->datasource, at + FRAME_AT_DATASOURCE,
		sizeof(head->datasource));
	head->spool_id = wire_u64(at + FRAME_AT_SPOOL);
	head->sequence = (int64_t)wire_u64(at + FRAME_AT_SEQUENCE);
	head->first_us = (int64_t)wire_u64(at + FRAME_AT_FIRST);
	head->last_us = (int64_t)wire_u64(at + FRAME_AT_LAST);
	head->samples = wire_u32(at + FRAME_AT_SAMPLES);
	head->alarms = 0;
	head->events = wire_u32(at + FRAME_AT_EVENTS);
	head->crc = wire_u32(at + FRAME_AT_CRC);
	head->total_bytes = wire_u32(at + FRAME_AT_TOTAL_BYTES);
}

enum rc
frame_peek(const void *data, size_t length, struct frame_head *head,
	struct fault *fault)
{
	const uint8_t *at = data;
	enum rc rc = check_start(at, length, fault);

	if (rc != RC_OK)
		return rc;
	read_head(at, head);
	rc = check_length(head, length, fault);
	if (rc != RC_OK)
		return rc;
	if (frame_crc(at, head->total_bytes) != head->crc)
		return fault_tell(fault, RC_BAD_INPUT, "FrameCrc", NULL,
			"The frame's checksum does not fit its bytes.");
	if (head->version > 1)
		head->alarms = wire_u32(at + FRAME_AT_ALARMS);
	return check_limits(at, head, fault);
}
