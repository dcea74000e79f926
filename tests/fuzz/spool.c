/* fuzz/spool: any bytes as a record of the spool, with and without its CRC. */

#include <stdlib.h>
#include <string.h>

#include "agents/spool.h"
#include "lib/crc32c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#define CRC_PLACE 44

static void
parse(const uint8_t *data, size_t length)
{
	struct spool_record record;
	struct fault fault;
	size_t total;

	if (spool_record_parse(data, length, &record, &total, &fault) != RC_OK)
		return;
	if (total > length || record.length == 0 ||
		total != SPOOL_RECORD_BYTES + record.length ||
		record.sequence <= 0)
		abort();
}

/* Most inputs fail at the CRC; with the right one they get further. */
static void
put_crc(uint8_t *data, size_t length)
{
	uint32_t crc = crc32c(0, data, CRC_PLACE);

	crc = crc32c(
		crc, data + SPOOL_RECORD_BYTES, length - SPOOL_RECORD_BYTES);
	for (int i = 0; i < 4; i++)
		data[CRC_PLACE + i] = (uint8_t)(crc >> (8 * i));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	uint8_t *copy;

	parse(data, length);
	if (length < SPOOL_RECORD_BYTES)
		return 0;
	copy = malloc(length);
	if (copy == NULL)
		abort();
	memcpy(copy, data, length);
	put_crc(copy, length);
	parse(copy, length);
	free(copy);
	return 0;
}
