/* alarm_text: what an alarm says, from the text of its limit. */

#include "model/alarm_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/utf8.h"

#define TEXT_BYTES_MAX  1024
#define VALUE_BYTES_MAX 128
#define POINT_MAX       1e15 /* larger numbers are written with an exponent */

/* As much of a text as fits, in whole characters. */
static void
add_cut(struct buf *out, const char *text, size_t length)
{
	size_t bytes = 0;

	while (bytes < length) {
		size_t more = utf8_sequence(text + bytes, length - bytes);

		if (more == 0 || bytes + more > VALUE_BYTES_MAX)
			break;
		bytes += more;
	}
	buf_add(out, text, bytes);
	if (bytes < length)
		buf_text(out, "…");
}

static void
add_value(struct buf *out, const struct value *value, int decimals)
{
	switch (value->kind) {
	case VALUE_BOOL:
		buf_text(out, value->boolean ? "true" : "false");
		break;
	case VALUE_INT:
		buf_printf(out, "%lld", (long long)value->integer);
		break;
	case VALUE_FLOAT:
		if (fabs(value->number) < POINT_MAX)
			buf_printf(out, "%.*f", decimals, value->number);
		else
			buf_printf(out, "%g", value->number);
		break;
	case VALUE_STRING:
		add_cut(out, value->string.data, value->string.bytes);
		break;
	case VALUE_NONE:
		break;
	}
}

static void
add_limit(struct buf *out, const struct alarm_limit *limit)
{
	if (limit->match != NULL)
		buf_text(out, limit->match);
	else if (!isnan(limit->low))
		buf_printf(out, "%.10g..%.10g", limit->low, limit->high);
	else if (!isnan(limit->value))
		buf_printf(out, "%.10g", limit->value);
}

static bool
starts(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

const char *
alarm_text(struct arena *arena, const struct alarm_limit *limit,
	const char *unit, int decimals, const struct value *value)
{
	const char *at = limit->text[0] != '\0' ? limit->text : limit->name;
	const char *text;
	struct buf out;

	if (strchr(at, '{') == NULL)
		return arena_strdup(arena, at);
	buf_init(&out, TEXT_BYTES_MAX);
	while (*at != '\0')
		if (starts(&at, "{value}"))
			add_value(&out, value, decimals);
		else if (starts(&at, "{unit}"))
			buf_text(&out, unit);
		else if (starts(&at, "{limit}"))
			add_limit(&out, limit);
		else
			buf_char(&out, *at++);
	text = out.overflow ? arena_strdup(arena, limit->name)
			    : arena_strndup(arena, out.data, out.length);
	buf_free(&out);
	return text;
}
