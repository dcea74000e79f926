/* utf8: what RFC 3629 allows as text. */

#include "lib/utf8.h"

#include <string.h>

#include <stdint.h>

static bool
is_tail(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The first tail byte narrows further: no overlong forms, no surrogates,
 * nothing past U+10FFFF (RFC 3629, section 4). */
static bool
second_allowed(unsigned char first, unsigned char second)
{
	switch (first) {
	case 0xe0:
		return second >= 0xa0 && second <= 0xbf;
	case 0xed:
		return second >= 0x80 && second <= 0x9f;
	case 0xf0:
		return second >= 0x90 && second <= 0xbf;
	case 0xf4:
		return second >= 0x80 && second <= 0x8f;
	default:
		return is_tail(second);
	}
}

size_t
utf8_sequence(const char *text, size_t length)
{
	const unsigned char *byte = (const unsigned char *)text;
	size_t bytes;

	if (length == 0)
		return 0;
	if (byte[0] < 0x80)
		return 1;
	if (byte[0] >= 0xc2 && byte[0] <= 0xdf)
		bytes = 2;
	else if (byte[0] >= 0xe0 && byte[0] <= 0xef)
		bytes = 3;
	else if (byte[0] >= 0xf0 && byte[0] <= 0xf4)
		bytes = 4;
	else
		return 0;
	if (length < bytes || !second_allowed(byte[0], byte[1]))
		return 0;
	for (size_t i = 2; i < bytes; i++)
		if (!is_tail(byte[i]))
			return 0;
	return bytes;
}

bool
utf8_valid(const char *text, size_t length)
{
	while (length > 0) {
		size_t bytes = utf8_sequence(text, length);

		if (bytes == 0)
			return false;
		text += bytes;
		length -= bytes;
	}
	return true;
}

bool
utf8_is_name(const char *text, size_t max_bytes)
{
	size_t length = strnlen(text, max_bytes + 1);

	if (length == 0 || length > max_bytes || !utf8_valid(text, length) ||
		text[0] == ' ' || text[length - 1] == ' ')
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return true;
}
