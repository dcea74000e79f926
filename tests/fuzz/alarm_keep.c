/* fuzz/alarm_keep: any bytes as the file of an agent's alarms, with and without
 * the right checksum. */

#include <stdlib.h>
#include <string.h>

#include "agents/alarm_keep.h"
#include "lib/crc32c.h"
#include "lib/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#define CRC_PLACE    24
#define LENGTH_PLACE 28

static enum rc
parse(const uint8_t *data, size_t length)
{
	struct fault fault;
	uint64_t spool_id;
	int64_t sequence;
	enum rc rc =
		alarm_keep_parse(data, length, &spool_id, &sequence, &fault);

	if (rc == RC_OK && (spool_id != wire_u64(data + 8) ||
				   (uint64_t)sequence != wire_u64(data + 16)))
		abort();
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	uint8_t *copy;

	(void)parse(data, length);
	if (length < ALARM_KEEP_HEAD_BYTES)
		return 0;
	copy = malloc(length);
	if (copy == NULL)
		abort();
	memcpy(copy, data, length);
	memcpy(copy, "FGALARM1", 8);
	wire_put_u32(copy + LENGTH_PLACE,
		(uint32_t)(length - ALARM_KEEP_HEAD_BYTES));
	wire_put_u32(copy + CRC_PLACE,
		crc32c(crc32c(0, copy, CRC_PLACE), copy + ALARM_KEEP_HEAD_BYTES,
			length - ALARM_KEEP_HEAD_BYTES));
	if (parse(copy, length) != RC_OK)
		abort();
	copy[length - 1] ^= 1;
	if (length > ALARM_KEEP_HEAD_BYTES && parse(copy, length) == RC_OK)
		abort();
	free(copy);
	return 0;
}
