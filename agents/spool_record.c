/* spool_record: the bytes of segments and records. */

#include "agents/spool_parts.h"

#include <inttypes.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/wire.h"

static const char magic[8] = {'F', 'G', 'S', 'P', 'O', 'O', 'L', '1'};

void
spool_header_write(
	uint8_t bytes[SPOOL_HEADER_BYTES], const struct spool_header *header)
{
	memset(bytes, 0, SPOOL_HEADER_BYTES);
	memcpy(bytes, magic, sizeof(magic));
	wire_put_u64(bytes + 8, header->spool_id);
	wire_put_u64(bytes + 16, (uint64_t)header->first_sequence);
	wire_put_u64(bytes + 24, (uint64_t)header->bookmark);
	wire_put_u64(bytes + 32, header->lost_samples);
	wire_put_u32(bytes + 60, crc32c(0, bytes, 60));
}

bool
spool_header_read(
	const uint8_t bytes[SPOOL_HEADER_BYTES], struct spool_header *header)
{
	if (memcmp(bytes, magic, sizeof(magic)) != 0 ||
		wire_u32(bytes + 60) != crc32c(0, bytes, 60))
		return false;
	header->spool_id = wire_u64(bytes + 8);
	header->first_sequence = (int64_t)wire_u64(bytes + 16);
	header->bookmark = (int64_t)wire_u64(bytes + 24);
	header->lost_samples = wire_u64(bytes + 32);
	return header->first_sequence > 0;
}

void
spool_record_write(
	uint8_t bytes[SPOOL_RECORD_BYTES], const struct spool_record *record)
{
	uint32_t crc;

	memset(bytes, 0, SPOOL_RECORD_BYTES);
	wire_put_u32(bytes, record->length);
	wire_put_u32(bytes + 4, record->samples);
	wire_put_u64(bytes + 8, (uint64_t)record->sequence);
	wire_put_u64(bytes + 16, (uint64_t)record->bookmark);
	wire_put_u64(bytes + 24, (uint64_t)record->first_us);
	wire_put_u64(bytes + 32, (uint64_t)record->last_us);
	crc = crc32c(0, bytes, 44);
	wire_put_u32(bytes + 44, crc32c(crc, record->frame, record->length));
}

/* Without the CRC: only what the record says of itself. */
bool
spool_record_read(const uint8_t *bytes, struct spool_record *record)
{
	record->length = wire_u32(bytes);
	record->samples = wire_u32(bytes + 4);
	record->sequence = (int64_t)wire_u64(bytes + 8);
	record->bookmark = (int64_t)wire_u64(bytes + 16);
	record->first_us = (int64_t)wire_u64(bytes + 24);
	record->last_us = (int64_t)wire_u64(bytes + 32);
	record->frame = NULL;
	return record->length > 0 && record->length <= SPOOL_FRAME_BYTES_MAX &&
	       record->sequence > 0;
}

enum rc
spool_record_parse(const void *data, size_t length, struct spool_record *record,
	size_t *total, struct fault *fault)
{
	const uint8_t *bytes = data;
	uint32_t crc;

	if (length < SPOOL_RECORD_BYTES)
		return fault_set(fault, RC_BAD_INPUT,
			"%zu bytes are no whole record", length);
	if (!spool_record_read(bytes, record))
		return fault_set(
			fault, RC_BAD_INPUT, "the record's head is damaged");
	if (record->length > length - SPOOL_RECORD_BYTES)
		return fault_set(fault, RC_BAD_INPUT,
			"the record of sequence %" PRId64 " is cut short",
			record->sequence);
	record->frame = bytes + SPOOL_RECORD_BYTES;
	crc = crc32c(0, bytes, 44);
	crc = crc32c(crc, record->frame, record->length);
	if (crc != wire_u32(bytes + 44))
		return fault_set(fault, RC_BAD_INPUT,
			"the record of sequence %" PRId64 " is damaged",
			record->sequence);
	*total = SPOOL_RECORD_BYTES + record->length;
	return RC_OK;
}
