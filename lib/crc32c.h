/* crc32c: the Castagnoli checksum (iSCSI, ext4), by the processor if it can. */
#ifndef FG_LIB_CRC32C_H
#define FG_LIB_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of "data"; to go on after earlier bytes give their checksum, else 0. */
uint32_t crc32c(uint32_t before, const void *data, size_t bytes);

#endif
