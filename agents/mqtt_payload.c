/* mqtt_payload: what a message, or a value in it, means for a variable. */

#include "agents/mqtt_payload.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/utf8.h"
#include "lib/word.h"

#define NUMBER_BYTES_MAX 64
#define ISO_BYTES_MAX    48

static bool
take_word(const char *text, struct value *value)
{
	*value = (struct value){.kind = VALUE_BOOL};
	return word_truth(text, &value->boolean);
}

/* Whole numbers stay whole, so that an int loses no digit. */
static bool
take_number(const char *text, struct value *value)
{
	char *end;
	long long whole;

	errno = 0;
	whole = strtoll(text, &end, 10);
	if (end != text && *end == '\0' && errno == 0) {
		*value = (struct value){.kind = VALUE_INT, .integer = whole};
		return true;
	}
	/* strtod takes 0x10 and nan as well; a number starts otherwise. */
	if (strspn(text, "+-.0123456789eE") != strlen(text))
		return false;
	*value = (struct value){
		.kind = VALUE_FLOAT, .number = strtod(text, &end)};
	return end != text && *end == '\0' && isfinite(value->number);
}

static bool
take_string(const char *text, size_t bytes, struct value *value)
{
	if (bytes > VALUE_STRING_BYTES_MAX ||
		memchr(text, '\0', bytes) != NULL || !utf8_valid(text, bytes))
		return false;
	*value = (struct value){.kind = VALUE_STRING};
	value->string.data = text;
	value->string.bytes = (uint32_t)bytes;
	return true;
}

static bool
is_space(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

bool
mqtt_payload_text(const char *text, size_t bytes, enum value_kind kind,
	struct value *value)
{
	char copy[NUMBER_BYTES_MAX];

	if (kind == VALUE_STRING)
		return take_string(text, bytes, value);
	for (; bytes > 0 && is_space(*text); bytes--)
		text++;
	while (bytes > 0 && is_space(text[bytes - 1]))
		bytes--;
	if (bytes == 0 || bytes >= sizeof(copy))
		return false;
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	return strlen(copy) == bytes &&
	       (take_number(copy, value) || take_word(copy, value));
}

/* A number, true or false as the text of a string variable. */
static bool
leaf_as_text(const struct json_tree *tree, const struct json_leaf *leaf,
	struct value *value)
{
	switch (leaf->token) {
	case JSONR_TRUE:
		return take_string("true", 4, value);
	case JSONR_FALSE:
		return take_string("false", 5, value);
	case JSONR_STRING:
	case JSONR_INT:
	case JSONR_NUM:
		return take_string(
			json_tree_text(tree, leaf), leaf->text_bytes, value);
	default:
		return false;
	}
}

bool
mqtt_payload_leaf(const struct json_tree *tree, const struct json_leaf *leaf,
	enum value_kind kind, struct value *value)
{
	if (kind == VALUE_STRING)
		return leaf_as_text(tree, leaf, value);
	switch (leaf->token) {
	case JSONR_INT:
		*value = (struct value){
			.kind = VALUE_INT, .integer = leaf->integer};
		return true;
	case JSONR_NUM:
		*value = (struct value){
			.kind = VALUE_FLOAT, .number = leaf->number};
		return isfinite(leaf->number);
	case JSONR_TRUE:
	case JSONR_FALSE:
		*value = (struct value){.kind = VALUE_BOOL,
			.boolean = leaf->token == JSONR_TRUE};
		return true;
	case JSONR_STRING:
		return mqtt_payload_text(json_tree_text(tree, leaf),
			leaf->text_bytes, kind, value);
	default:
		return false;
	}
}

/* --- times --------------------------------------------------------------- */

bool
mqtt_payload_time_fits(int64_t time_us, int64_t now_us)
{
	return time_us >= SAMPLE_TIME_MIN_US &&
	       time_us <= now_us + SAMPLE_TIME_AHEAD_US;
}

/* Since 1970: from 2000 to 5138 the size alone tells the unit. */
static bool
scale_epoch(double number, int64_t *time_us)
{
	double unit_us = number < 1e11   ? 1e6
			 : number < 1e14 ? 1e3
			 : number < 1e17 ? 1
					 : 1e-3;

	if (!(number > 0 && number < 1e20))
		return false;
	*time_us = (int64_t)(number * unit_us);
	return true;
}

static bool
scale_whole_epoch(int64_t number, int64_t *time_us)
{
	if (number <= 0)
		return false;
	if (number >= INT64_C(100000000000000000))
		*time_us = number / 1000;
	else if (number >= INT64_C(100000000000000))
		*time_us = number;
	else if (number >= INT64_C(100000000000))
		*time_us = number * 1000;
	else
		*time_us = number * CLOCK_SECOND_US;
	return true;
}

static bool
parse_iso(const char *text, size_t bytes, int64_t *time_us)
{
	char copy[ISO_BYTES_MAX];

	if (bytes < 19 || bytes + 2 > sizeof(copy))
		return false;
	memcpy(copy, text, bytes + 1);
	if (copy[10] == ' ')
		copy[10] = 'T';
	if (clock_parse(copy, time_us))
		return true;
	memcpy(copy + bytes, "Z", 2);
	return clock_parse(copy, time_us);
}

static bool
parse_time(const struct json_tree *tree, const struct json_leaf *leaf,
	int64_t *time_us)
{
	const char *text;
	struct value value;

	if (leaf->token == JSONR_INT)
		return scale_whole_epoch(leaf->integer, time_us);
	if (leaf->token == JSONR_NUM)
		return scale_epoch(leaf->number, time_us);
	if (leaf->token != JSONR_STRING)
		return false;
	text = json_tree_text(tree, leaf);
	if (parse_iso(text, leaf->text_bytes, time_us))
		return true;
	if (!mqtt_payload_text(text, leaf->text_bytes, VALUE_FLOAT, &value))
		return false;
	return value.kind == VALUE_INT
		       ? scale_whole_epoch(value.integer, time_us)
		       : value.kind == VALUE_FLOAT &&
				 scale_epoch(value.number, time_us);
}

bool
mqtt_payload_time(const struct json_tree *tree, const struct json_leaf *leaf,
	int64_t now_us, int64_t *time_us)
{
	return parse_time(tree, leaf, time_us) &&
	       mqtt_payload_time_fits(*time_us, now_us);
}
