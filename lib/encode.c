/* encode: bytes as hexadecimal, base64 and base64url text (RFC 4648). */

#include "lib/encode.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#include "lib/secret.h"

char *
encode_hex(struct arena *arena, const void *data, size_t bytes)
{
	char *text = arena_alloc(arena, 2 * bytes + 1);

	return sodium_bin2hex(text, 2 * bytes + 1, data, bytes);
}

static char *
encode_variant(struct arena *arena, const void *data, size_t bytes, int variant)
{
	size_t size = sodium_base64_encoded_len(bytes, variant);
	char *text = arena_alloc(arena, size);

	return sodium_bin2base64(text, size, data, bytes, variant);
}

char *
encode_base64(struct arena *arena, const void *data, size_t bytes)
{
	return encode_variant(
		arena, data, bytes, sodium_base64_VARIANT_ORIGINAL);
}

char *
encode_base64url(struct arena *arena, const void *data, size_t bytes)
{
	return encode_variant(
		arena, data, bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

uint8_t *
decode_hex(struct arena *arena, const char *text, size_t length, size_t *bytes)
{
	uint8_t *data = arena_alloc(arena, length / 2 + 1);

	if (length % 2 != 0 ||
		sodium_hex2bin(data, length / 2 + 1, text, length, NULL, bytes,
			NULL) != 0 ||
		*bytes != length / 2)
		return NULL;
	return data;
}

/* libsodium refuses padding errors and spare bits on its own. */
static uint8_t *
decode_variant(struct arena *arena, const char *text, size_t length,
	size_t *bytes, int variant)
{
	uint8_t *data = arena_alloc(arena, length / 4 * 3 + 3);
	const char *end = NULL;

	if (sodium_base642bin(data, length / 4 * 3 + 3, text, length, NULL,
		    bytes, &end, variant) != 0 ||
		end != text + length)
		return NULL;
	return data;
}

uint8_t *
decode_base64(
	struct arena *arena, const char *text, size_t length, size_t *bytes)
{
	return decode_variant(
		arena, text, length, bytes, sodium_base64_VARIANT_ORIGINAL);
}

uint8_t *
decode_base64url(
	struct arena *arena, const char *text, size_t length, size_t *bytes)
{
	return decode_variant(arena, text, length, bytes,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void
uuid_format(char text[UUID_TEXT_BYTES], const uint8_t uuid[UUID_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	size_t used = 0;

	for (size_t i = 0; i < UUID_BYTES; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[used++] = '-';
		text[used++] = digits[uuid[i] >> 4];
		text[used++] = digits[uuid[i] & 15];
	}
	text[used] = '\0';
}

static int
nibble(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	letter = (char)tolower((unsigned char)letter);
	return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

bool
uuid_parse(const char *text, uint8_t uuid[UUID_BYTES])
{
	if (strlen(text) != UUID_TEXT_BYTES - 1)
		return false;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		int high;
		int low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *text++ != '-')
			return false;
		high = nibble(*text++);
		low = nibble(*text++);
		if (high < 0 || low < 0)
			return false;
		uuid[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
uuid_random(uint8_t uuid[UUID_BYTES])
{
	secret_random(uuid, UUID_BYTES);
	uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
	uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
