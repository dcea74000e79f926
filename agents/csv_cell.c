/* csv_cell: what a cell of a data file means. */

#define _XOPEN_SOURCE 700 /* strptime */

#include "agents/csv_cell.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/word.h"

static bool
parse_epoch(const char *text, int64_t unit_us, int64_t *time_us)
{
	char *end;
	long long whole = strtoll(text, &end, 10);
	double fraction = 0;

	if (end == text)
		return false;
	if (*end == '.')
		fraction = strtod(end, &end);
	if (*end != '\0' || whole < -4000000000000 || whole > 10000000000000)
		return false;
	*time_us = whole * unit_us + llround(fraction * (double)unit_us);
	return true;
}

/* Behind %S there may be a fraction, which strptime does not know. */
static bool
parse_fraction(const char *text, int64_t *micro)
{
	int64_t scale = CLOCK_SECOND_US / 10;

	*micro = 0;
	if (*text == '\0')
		return true;
	if (*text != '.' && *text != ',')
		return false;
	for (text++; *text >= '0' && *text <= '9'; text++, scale /= 10)
		*micro += scale * (*text - '0');
	return *text == '\0';
}

static bool
parse_by_format(const char *text, const char *format, int64_t *time_us)
{
	struct tm tm = {.tm_isdst = -1};
	const char *rest = strptime(text, format, &tm);
	time_t seconds;
	int64_t micro;

	if (rest == NULL || !parse_fraction(rest, &micro))
		return false;
	tm.tm_isdst = -1;
	seconds = mktime(&tm);
	if (seconds == (time_t)-1 && tm.tm_year != 69)
		return false;
	*time_us = (int64_t)seconds * CLOCK_SECOND_US + micro;
	return true;
}

bool
csv_cell_time(const char *text, const char *format, int64_t *time_us)
{
	if (strcmp(format, "epoch_s") == 0)
		return parse_epoch(text, CLOCK_SECOND_US, time_us);
	if (strcmp(format, "epoch_ms") == 0)
		return parse_epoch(text, 1000, time_us);
	if (strcmp(format, "iso") != 0)
		return parse_by_format(text, format, time_us);
	return clock_parse(text, time_us) ||
	       parse_by_format(text, "%Y-%m-%dT%H:%M:%S", time_us) ||
	       parse_by_format(text, "%Y-%m-%d %H:%M:%S", time_us);
}

static bool
parse_bool(const char *text, struct value *value)
{
	*value = (struct value){.kind = VALUE_BOOL};
	return word_truth(text, &value->boolean);
}

static bool
parse_int(const char *text, struct value *value)
{
	char *end;

	errno = 0;
	*value = (struct value){
		.kind = VALUE_INT, .integer = strtoll(text, &end, 10)};
	return errno == 0 && end != text && *end == '\0';
}

static bool
parse_float(const char *text, bool decimal_comma, struct value *value)
{
	char copy[64];
	char *comma;
	char *end;

	if (strlen(text) >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%s", text);
	comma = decimal_comma ? strchr(copy, ',') : NULL;
	if (comma != NULL)
		*comma = '.';
	*value = (struct value){
		.kind = VALUE_FLOAT, .number = strtod(copy, &end)};
	return end != copy && *end == '\0';
}

bool
csv_cell_value(const char *text, const struct input *input, bool decimal_comma,
	struct value *value)
{
	size_t length = strlen(text);

	switch (input->kind) {
	case VALUE_BOOL:
		return parse_bool(text, value);
	case VALUE_INT:
		if (parse_int(text, value))
			return true;
		break;
	case VALUE_STRING:
		if (length > VALUE_STRING_BYTES_MAX)
			return false;
		*value = (struct value){.kind = VALUE_STRING};
		value->string.data = text;
		value->string.bytes = (uint32_t)length;
		return true;
	default:
		break;
	}
	return parse_float(text, decimal_comma, value);
}
