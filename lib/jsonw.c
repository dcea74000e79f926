/* jsonw: a streaming writer of compact JSON into a buf. */

#include "lib/jsonw.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/utf8.h"

void
jsonw_init(struct jsonw *json, struct buf *out)
{
	json->out = out;
	json->comma = false;
}

static void
release_buf(void *buf)
{
	buf_free(buf);
}

struct jsonw *
jsonw_in(struct arena *arena)
{
	struct jsonw *json = arena_alloc(arena, sizeof(*json));
	struct buf *out = arena_alloc(arena, sizeof(*out));

	buf_init(out, 0);
	arena_defer(arena, release_buf, out);
	jsonw_init(json, out);
	return json;
}

static void
write_escaped(struct buf *out, unsigned char byte)
{
	switch (byte) {
	case '"':
		buf_text(out, "\\\"");
		break;
	case '\\':
		buf_text(out, "\\\\");
		break;
	case '\n':
		buf_text(out, "\\n");
		break;
	case '\r':
		buf_text(out, "\\r");
		break;
	case '\t':
		buf_text(out, "\\t");
		break;
	default:
		buf_printf(out, "\\u%04x", byte);
	}
}

static bool
is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void
write_quoted(struct buf *out, const char *text, size_t length)
{
	size_t i = 0;

	buf_char(out, '"');
	while (i < length) {
		size_t start = i;
		size_t bytes;

		while (i < length && is_plain((unsigned char)text[i]))
			i++;
		buf_add(out, text + start, i - start);
		if (i == length)
			break;
		if ((unsigned char)text[i] < 0x80) {
			write_escaped(out, (unsigned char)text[i++]);
			continue;
		}
		bytes = utf8_sequence(text + i, length - i);
		if (bytes == 0)
			buf_text(out, "\xef\xbf\xbd");
		else
			buf_add(out, text + i, bytes);
		i += bytes != 0 ? bytes : 1;
	}
	buf_char(out, '"');
}

static void
begin(struct jsonw *json, const char *key)
{
	if (json->comma)
		buf_char(json->out, ',');
	json->comma = true;
	if (key != NULL) {
		write_quoted(json->out, key, strlen(key));
		buf_char(json->out, ':');
	}
}

void
jsonw_open_obj(struct jsonw *json, const char *key)
{
	begin(json, key);
	buf_char(json->out, '{');
	json->comma = false;
}

void
jsonw_close_obj(struct jsonw *json)
{
	buf_char(json->out, '}');
	json->comma = true;
}

void
jsonw_open_arr(struct jsonw *json, const char *key)
{
	begin(json, key);
	buf_char(json->out, '[');
	json->comma = false;
}

void
jsonw_close_arr(struct jsonw *json)
{
	buf_char(json->out, ']');
	json->comma = true;
}

void
jsonw_str(struct jsonw *json, const char *key, const char *text)
{
	if (text == NULL)
		jsonw_null(json, key);
	else
		jsonw_strn(json, key, text, strlen(text));
}

void
jsonw_strn(struct jsonw *json, const char *key, const char *text, size_t length)
{
	begin(json, key);
	write_quoted(json->out, text, length);
}

void
jsonw_int(struct jsonw *json, const char *key, int64_t number)
{
	begin(json, key);
	buf_printf(json->out, "%" PRId64, number);
}

void
jsonw_uint(struct jsonw *json, const char *key, uint64_t number)
{
	begin(json, key);
	buf_printf(json->out, "%" PRIu64, number);
}

/* Digits of a whole number, most significant first; returns their count. */
static size_t
write_digits(char *text, uint64_t number, size_t at_least)
{
	char reversed[24];
	size_t count = 0;

	for (; number != 0 || count < at_least; number /= 10)
		reversed[count++] = (char)('0' + number % 10);
	for (size_t i = 0; i < count; i++)
		text[i] = reversed[count - 1 - i];
	return count;
}

/*
 * Most process values are short decimals. When whole / 10^k gives the number
 * back, both exact below 2^53, then so does reading the text "whole.decimals".
 */
static bool
write_decimal(struct buf *out, double number)
{
	static const double powers[] = {
		1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
	double size = fabs(number);

	for (size_t k = 0; k < ARRAY_LENGTH(powers); k++) {
		double scaled = nearbyint(size * powers[k]);
		char text[48];
		size_t used = 0;

		if (scaled >= 1e15)
			return false;
		if (scaled / powers[k] != size)
			continue;
		if (signbit(number))
			text[used++] = '-';
		used += write_digits(text + used, (uint64_t)scaled, k + 1);
		if (k > 0) {
			memmove(text + used - k + 1, text + used - k, k);
			text[used - k] = '.';
			used++;
		}
		buf_add(out, text, used);
		return true;
	}
	return false;
}

static void
write_shortest(struct buf *out, double number)
{
	static const int digits[] = {15, 16, 17};
	char text[40];

	for (size_t i = 0; i < ARRAY_LENGTH(digits); i++) {
		snprintf(text, sizeof(text), "%.*g", digits[i], number);
		if (strtod(text, NULL) == number)
			break;
	}
	buf_text(out, text);
}

void
jsonw_num(struct jsonw *json, const char *key, double number)
{
	if (!isfinite(number)) {
		jsonw_null(json, key);
		return;
	}
	begin(json, key);
	if (!write_decimal(json->out, number))
		write_shortest(json->out, number);
}

void
jsonw_bool(struct jsonw *json, const char *key, bool truth)
{
	begin(json, key);
	buf_text(json->out, truth ? "true" : "false");
}

void
jsonw_null(struct jsonw *json, const char *key)
{
	begin(json, key);
	buf_text(json->out, "null");
}

void
jsonw_time(struct jsonw *json, const char *key, int64_t time_us)
{
	char text[CLOCK_TEXT_BYTES];

	if (time_us == CLOCK_NEVER) {
		jsonw_null(json, key);
		return;
	}
	clock_format(text, time_us);
	jsonw_str(json, key, text);
}

void
jsonw_raw(struct jsonw *json, const char *key, const char *text)
{
	begin(json, key);
	buf_text(json->out, text);
}
