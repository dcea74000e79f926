/* sse: a reader of server-sent events, from whatever pieces they come in. */

#include "lib/sse.h"

#include <string.h>

void
sse_init(struct sse *sse, size_t limit_bytes)
{
	memset(sse, 0, sizeof(*sse));
	buf_init(&sse->line, limit_bytes);
	buf_init(&sse->name, 256);
	buf_init(&sse->data, limit_bytes);
}

void
sse_free(struct sse *sse)
{
	buf_free(&sse->line);
	buf_free(&sse->name);
	buf_free(&sse->data);
}

static void
forget_event(struct sse *sse)
{
	buf_clear(&sse->name);
	buf_clear(&sse->data);
	sse->has_data = false;
}

void
sse_reset(struct sse *sse)
{
	buf_clear(&sse->line);
	forget_event(sse);
	sse->after_cr = false;
}

static void
end_event(struct sse *sse)
{
	bool whole = !sse->name.overflow && !sse->data.overflow;

	if (sse->has_data && whole)
		sse->take(sse->context,
			sse->name.length > 0 ? sse->name.data : "message",
			sse->data.length > 0 ? sse->data.data : "",
			sse->data.length);
	forget_event(sse);
}

/* A line that was too long spoils its event. */
static void
end_line(struct sse *sse)
{
	const char *line = sse->line.length > 0 ? sse->line.data : "";
	size_t name = strcspn(line, ":");
	const char *value = line + name;

	value += *value == ':';
	value += *value == ' ';
	if (sse->line.overflow) {
		sse->data.overflow = true;
	} else if (sse->line.length == 0) {
		end_event(sse);
	} else if (name == 4 && memcmp(line, "data", 4) == 0) {
		if (sse->has_data)
			buf_char(&sse->data, '\n');
		buf_add(&sse->data, value,
			sse->line.length - (size_t)(value - line));
		sse->has_data = true;
	} else if (name == 5 && memcmp(line, "event", 5) == 0) {
		buf_clear(&sse->name);
		buf_text(&sse->name, value);
	}
	buf_clear(&sse->line);
}

void
sse_feed(struct sse *sse, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		bool second = sse->after_cr && bytes[i] == '\n';

		sse->after_cr = bytes[i] == '\r';
		if (second)
			continue;
		if (bytes[i] == '\r' || bytes[i] == '\n')
			end_line(sse);
		else
			buf_char(&sse->line, bytes[i]);
	}
}
