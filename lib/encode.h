/* encode: bytes as hexadecimal, base64 and base64url text (RFC 4648). */
#ifndef FG_LIB_ENCODE_H
#define FG_LIB_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

#define UUID_BYTES      16
#define UUID_TEXT_BYTES 37

char *encode_hex(struct arena *arena, const void *data, size_t bytes);
char *encode_base64(struct arena *arena, const void *data, size_t bytes);
char *encode_base64url(struct arena *arena, const void *data, size_t bytes);

/* NULL when "text" is not canonical (wrong letters, padding, spare bits). */
uint8_t *decode_hex(
	struct arena *arena, const char *text, size_t length, size_t *bytes);
uint8_t *decode_base64(
	struct arena *arena, const char *text, size_t length, size_t *bytes);
uint8_t *decode_base64url(
	struct arena *arena, const char *text, size_t length, size_t *bytes);

void uuid_format(char text[UUID_TEXT_BYTES], const uint8_t uuid[UUID_BYTES]);
/* The 36-character form only, either case. */
bool uuid_parse(const char *text, uint8_t uuid[UUID_BYTES]);
/* Version 4, random. */
void uuid_random(uint8_t uuid[UUID_BYTES]);

#endif
