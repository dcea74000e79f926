/* crc32c: the Castagnoli checksum (iSCSI, ext4), by the processor if it can. */

#include "lib/crc32c.h"

#include <string.h>

#define POLYNOMIAL UINT32_C(0x82f63b78) /* bit-reversed */

/* Sixteen steps of four bits need a table of 64 bytes only. */
static uint32_t
plain(uint32_t crc, const uint8_t *byte, size_t bytes)
{
	uint32_t table[16];

	for (uint32_t i = 0; i < 16; i++) {
		uint32_t entry = i;

		for (int bit = 0; bit < 4; bit++)
			entry = (entry >> 1) ^ (entry & 1 ? POLYNOMIAL : 0);
		table[i] = entry;
	}
	for (; bytes > 0; bytes--, byte++) {
		crc ^= *byte;
		crc = (crc >> 4) ^ table[crc & 15];
		crc = (crc >> 4) ^ table[crc & 15];
	}
	return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
hardware(uint32_t crc, const uint8_t *byte, size_t bytes)
{
	uint64_t wide = crc;

	for (; bytes >= 8; bytes -= 8, byte += 8) {
		uint64_t eight;

		memcpy(&eight, byte, sizeof(eight));
		wide = __builtin_ia32_crc32di(wide, eight);
	}
	crc = (uint32_t)wide;
	for (; bytes > 0; bytes--, byte++)
		crc = __builtin_ia32_crc32qi(crc, *byte);
	return crc;
}
#endif

uint32_t
crc32c(uint32_t before, const void *data, size_t bytes)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return ~hardware(~before, data, bytes);
#endif
	return ~plain(~before, data, bytes);
}
