/* jsonr: a streaming reader of JSON, for long columns of numbers. */

#include "lib/jsonr.h"

#include <stdlib.h>
#include <string.h>

#include "lib/utf8.h"

/* What may come next. */
enum state {
	VALUE,        /* a value must come */
	VALUE_OR_END, /* the first of an array, or its end */
	KEY_OR_END,   /* the first of an object, or its end */
	MORE,         /* a comma, or the end of what is open */
	DONE,         /* nothing more */
	BROKEN,
};

void
jsonr_init(struct jsonr *json, const char *text, size_t length)
{
	memset(json, 0, sizeof(*json));
	json->start = json->at = text;
	json->end = text + length;
	json->state = VALUE;
	buf_init(&json->text, 0);
}

void
jsonr_free(struct jsonr *json)
{
	buf_free(&json->text);
}

size_t
jsonr_offset(const struct jsonr *json)
{
	return (size_t)(json->at - json->start);
}

static enum jsonr_token
broken(struct jsonr *json)
{
	json->state = BROKEN;
	return JSONR_BROKEN;
}

/* Zero at the end: "at" never passes the zero byte behind the text. */
static char
peek(const struct jsonr *json)
{
	return json->at < json->end ? *json->at : '\0';
}

static void
skip_space(struct jsonr *json)
{
	while (json->at < json->end &&
		(*json->at == ' ' || *json->at == '\t' || *json->at == '\n' ||
			*json->at == '\r'))
		json->at++;
}

static void
after_value(struct jsonr *json)
{
	json->state = json->depth > 0 ? MORE : DONE;
}

/* --- strings ------------------------------------------------------------ */

static int
hex_digit(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	if (letter >= 'a' && letter <= 'f')
		return letter - 'a' + 10;
	if (letter >= 'A' && letter <= 'F')
		return letter - 'A' + 10;
	return -1;
}

static bool
take_hex(struct jsonr *json, uint32_t *code)
{
	*code = 0;
	if (json->end - json->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(*json->at++);

		if (digit < 0)
			return false;
		*code = *code * 16 + (uint32_t)digit;
	}
	return true;
}

static void
add_utf8(struct buf *out, uint32_t code)
{
	if (code < 0x80) {
		buf_char(out, (char)code);
		return;
	}
	if (code < 0x800) {
		buf_char(out, (char)(0xc0 | code >> 6));
	} else {
		if (code < 0x10000) {
			buf_char(out, (char)(0xe0 | code >> 12));
		} else {
			buf_char(out, (char)(0xf0 | code >> 18));
			buf_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
		}
		buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
	}
	buf_char(out, (char)(0x80 | (code & 0x3f)));
}

/* The part behind "\u"; a zero is refused, because texts end with one. */
static bool
take_unicode(struct jsonr *json)
{
	uint32_t code;
	uint32_t low;

	if (!take_hex(json, &code) || code == 0 ||
		(code >= 0xdc00 && code <= 0xdfff))
		return false;
	if (code >= 0xd800 && code <= 0xdbff) {
		if (json->end - json->at < 6 || json->at[0] != '\\' ||
			json->at[1] != 'u')
			return false;
		json->at += 2;
		if (!take_hex(json, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	add_utf8(&json->text, code);
	return true;
}

static bool
take_escape(struct jsonr *json)
{
	static const char letters[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char letter;

	if (json->at == json->end)
		return false;
	letter = *json->at++;
	if (letter == 'u')
		return take_unicode(json);
	found = letter != '\0' ? strchr(letters, letter) : NULL;
	if (found == NULL)
		return false;
	buf_char(&json->text, meanings[found - letters]);
	return true;
}

static bool
is_plain(char byte)
{
	return (unsigned char)byte >= 0x20 && byte != '"' && byte != '\\';
}

/* From behind the opening quote to behind the closing one. */
static bool
take_string(struct jsonr *json)
{
	buf_clear(&json->text);
	for (;;) {
		const char *from = json->at;

		while (json->at < json->end && is_plain(*json->at))
			json->at++;
		buf_add(&json->text, from, (size_t)(json->at - from));
		if (json->at == json->end)
			return false;
		if (*json->at == '"')
			break;
		if (*json->at++ != '\\' || !take_escape(json))
			return false;
	}
	json->at++;
	return !json->text.overflow &&
	       utf8_valid(json->text.data, json->text.length);
}

/* --- numbers ------------------------------------------------------------ */

/* Most numbers have so few digits that this is exact. */
static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8,
	1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

struct digits {
	uint64_t mantissa;
	int count;    /* of digits in the mantissa, leading zeros left out */
	int fraction; /* of them behind the point */
};

static size_t
take_digits(struct jsonr *json, struct digits *digits)
{
	const char *from = json->at;

	for (; peek(json) >= '0' && peek(json) <= '9'; json->at++) {
		if (digits->count < 19)
			digits->mantissa = digits->mantissa * 10 +
					   (uint64_t)(*json->at - '0');
		if (digits->mantissa != 0)
			digits->count++;
	}
	return (size_t)(json->at - from);
}

static bool
take_exponent(struct jsonr *json)
{
	struct digits ignored = {0, 0, 0};

	json->at++;
	if (peek(json) == '+' || peek(json) == '-')
		json->at++;
	return take_digits(json, &ignored) > 0;
}

static enum jsonr_token
finish_integer(struct jsonr *json, const struct digits *digits, bool negative)
{
	if (digits->count > 18 || (negative && digits->mantissa == 0)) {
		char *end;
		long long exact;

		/* A limit of int64, minus zero, or too big. */
		json->number = strtod(json->raw, NULL);
		exact = strtoll(json->raw, &end, 10);
		if (digits->count > 19 || digits->mantissa == 0 ||
			digits->mantissa > (uint64_t)INT64_MAX + negative)
			return JSONR_NUM;
		json->integer = exact;
		return JSONR_INT;
	}
	json->integer = negative ? -(int64_t)digits->mantissa
				 : (int64_t)digits->mantissa;
	json->number = (double)json->integer;
	return JSONR_INT;
}

static enum jsonr_token
finish_number(struct jsonr *json, const struct digits *digits, bool negative,
	bool scaled)
{
	double number;

	if (!scaled && digits->mantissa <= UINT64_C(1) << 53 &&
		digits->count < 19 && digits->fraction <= 18) {
		number = (double)digits->mantissa / powers[digits->fraction];
		json->number = negative ? -number : number;
	} else {
		json->number = strtod(json->raw, NULL);
	}
	return JSONR_NUM;
}

static enum jsonr_token
take_number(struct jsonr *json)
{
	struct digits digits = {0, 0, 0};
	bool negative = peek(json) == '-';
	bool point = false;
	bool scaled = false;
	char first;

	json->raw = json->at;
	json->at += negative;
	first = peek(json);
	switch (take_digits(json, &digits)) {
	case 0:
		return broken(json);
	case 1:
		break;
	default:
		if (first == '0')
			return broken(json);
	}
	if (peek(json) == '.') {
		point = true;
		json->at++;
		digits.fraction = (int)take_digits(json, &digits);
		if (digits.fraction == 0)
			return broken(json);
	}
	if (peek(json) == 'e' || peek(json) == 'E') {
		scaled = true;
		if (!take_exponent(json))
			return broken(json);
	}
	json->raw_bytes = (size_t)(json->at - json->raw);
	after_value(json);
	return point || scaled ? finish_number(json, &digits, negative, scaled)
			       : finish_integer(json, &digits, negative);
}

/* --- structure ---------------------------------------------------------- */

static enum jsonr_token
take_word(struct jsonr *json, const char *word, enum jsonr_token token)
{
	size_t length = strlen(word);

	if ((size_t)(json->end - json->at) < length ||
		memcmp(json->at, word, length) != 0)
		return broken(json);
	json->at += length;
	after_value(json);
	return token;
}

static enum jsonr_token
open(struct jsonr *json, bool object)
{
	if (json->depth == JSONR_DEPTH_MAX)
		return broken(json);
	json->at++;
	json->in_object[json->depth++] = object;
	json->state = object ? KEY_OR_END : VALUE_OR_END;
	return object ? JSONR_OBJECT : JSONR_ARRAY;
}

static enum jsonr_token
close(struct jsonr *json, bool object)
{
	json->at++;
	json->depth--;
	after_value(json);
	return object ? JSONR_OBJECT_END : JSONR_ARRAY_END;
}

static enum jsonr_token
take_value(struct jsonr *json)
{
	switch (peek(json)) {
	case '{':
		return open(json, true);
	case '[':
		return open(json, false);
	case '"':
		json->at++;
		if (!take_string(json))
			return broken(json);
		after_value(json);
		return JSONR_STRING;
	case 't':
		return take_word(json, "true", JSONR_TRUE);
	case 'f':
		return take_word(json, "false", JSONR_FALSE);
	case 'n':
		return take_word(json, "null", JSONR_NULL);
	default:
		return take_number(json);
	}
}

static enum jsonr_token
take_key(struct jsonr *json)
{
	if (peek(json) != '"')
		return broken(json);
	json->at++;
	if (!take_string(json))
		return broken(json);
	skip_space(json);
	if (peek(json) != ':')
		return broken(json);
	json->at++;
	json->state = VALUE;
	return JSONR_KEY;
}

static enum jsonr_token
take_more(struct jsonr *json)
{
	bool object = json->in_object[json->depth - 1];

	if (peek(json) == (object ? '}' : ']'))
		return close(json, object);
	if (peek(json) != ',')
		return broken(json);
	json->at++;
	skip_space(json);
	return object ? take_key(json) : take_value(json);
}

enum jsonr_token
jsonr_next(struct jsonr *json)
{
	skip_space(json);
	switch ((enum state)json->state) {
	case VALUE:
		return take_value(json);
	case VALUE_OR_END:
		return peek(json) == ']' ? close(json, false)
					 : take_value(json);
	case KEY_OR_END:
		return peek(json) == '}' ? close(json, true) : take_key(json);
	case MORE:
		return take_more(json);
	case DONE:
		return json->at == json->end ? JSONR_END : broken(json);
	case BROKEN:
		break;
	}
	return JSONR_BROKEN;
}
