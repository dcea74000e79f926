/* feed_cursor: how far an egress node has read, as an opaque text. */

#include "model/feed_cursor.h"

#include <inttypes.h>
#include <string.h>

#include "lib/encode.h"
#include "lib/wire.h"

/* The first letter says what the text is for, the digit its form. */
#define FRAMES_MARK "f1."
#define LOOK_MARK   "l1."
#define MARK_BYTES  3

static enum rc
invalid(struct fault *fault)
{
	return fault_tell(fault, RC_BAD_INPUT, "CursorInvalid", "cursor",
		"The cursor is not one that this endpoint gave out.");
}

const char *
feed_cursor_write(struct arena *arena, const struct feed_cursor *cursor)
{
	int32_t node_id = 0;
	struct buf bytes;
	const char *text;

	buf_init(&bytes, 0);
	for (size_t i = 0; i < cursor->count; i++) {
		const struct feed_source *source = &cursor->sources[i];

		wire_add_varint(&bytes, (uint64_t)(source->node_id - node_id));
		wire_add_varint(&bytes, (uint64_t)source->sequence);
		wire_add_varint(&bytes, (uint64_t)source->id);
		wire_add_varint(&bytes, (uint64_t)source->fills);
		wire_add_varint(&bytes, (uint64_t)source->last_us);
		node_id = source->node_id;
	}
	text = arena_printf(arena, FRAMES_MARK "%s",
		encode_base64url(arena, bytes.data, bytes.length));
	buf_free(&bytes);
	return text;
}

/* None of the numbers is negative. */
static bool
take_number(struct wire_reader *in, int64_t *number)
{
	uint64_t code = wire_take_varint(in);

	*number = (int64_t)code;
	return !in->failed && code <= INT64_MAX;
}

static bool
take_source(struct wire_reader *in, int32_t before, struct feed_source *source)
{
	int64_t step = 0;

	if (!take_number(in, &step) || step < 1 || step > INT32_MAX - before)
		return false;
	source->node_id = before + (int32_t)step;
	return take_number(in, &source->sequence) &&
	       take_number(in, &source->id) &&
	       take_number(in, &source->fills) &&
	       take_number(in, &source->last_us);
}

enum rc
feed_cursor_read(struct arena *arena, const char *text,
	struct feed_cursor *cursor, struct fault *fault)
{
	struct wire_reader in;
	uint8_t *bytes;
	size_t count;
	int32_t node_id = 0;

	if (strncmp(text, FRAMES_MARK, MARK_BYTES) != 0)
		return invalid(fault);
	bytes = decode_base64url(
		arena, text + MARK_BYTES, strlen(text) - MARK_BYTES, &count);
	if (bytes == NULL)
		return invalid(fault);
	in = wire_reader(bytes, count);
	cursor->count = 0;
	cursor->sources = arena_array(arena,
		count / 5 < FEED_CURSOR_SOURCES_MAX ? count / 5
						    : FEED_CURSOR_SOURCES_MAX,
		sizeof(*cursor->sources));
	while (wire_left(&in) > 0) {
		struct feed_source source;

		if (cursor->count == FEED_CURSOR_SOURCES_MAX ||
			!take_source(&in, node_id, &source))
			return invalid(fault);
		node_id = source.node_id;
		cursor->sources[cursor->count++] = source;
	}
	return RC_OK;
}

struct feed_source *
feed_cursor_find(const struct feed_cursor *cursor, int32_t node_id)
{
	size_t low = 0;
	size_t high = cursor->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (cursor->sources[middle].node_id < node_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < cursor->count && cursor->sources[low].node_id == node_id
		       ? &cursor->sources[low]
		       : NULL;
}

/* --- looks ---------------------------------------------------------------- */

const char *
feed_look_since(const struct feed_look *look)
{
	return look->since != NULL ? look->since : "1:1:";
}

const char *
feed_look_write(struct arena *arena, const struct feed_look *look)
{
	return arena_printf(arena, LOOK_MARK "%s.%s.%s.%s", look->since,
		look->until, look->xid, look->id);
}

/* A number of a transaction; moves on behind it. */
static bool
take_xid(const char **at, uint64_t *number)
{
	const char *begin = *at;

	*number = 0;
	for (; **at >= '0' && **at <= '9'; ++*at)
		*number = *number * 10 + (uint64_t)(**at - '0');
	return *at > begin && *at - begin <= 18;
}

/* "10:20:10,14": the first that runs, the one behind the last, and who runs
 * among them, rising. */
static bool
is_snapshot(const char *at)
{
	uint64_t first;
	uint64_t end;
	uint64_t before = 0;

	if (!take_xid(&at, &first) || *at++ != ':' || !take_xid(&at, &end) ||
		*at++ != ':' || first < 1 || end < first)
		return false;
	while (*at != '\0') {
		uint64_t number;

		if (!take_xid(&at, &number) || number < first ||
			number >= end || number <= before)
			return false;
		before = number;
		if (*at == ',' && at[1] != '\0')
			at++;
		else if (*at != '\0')
			return false;
	}
	return true;
}

static bool
is_xid(const char *at)
{
	uint64_t number;

	return take_xid(&at, &number) && *at == '\0';
}

/* A number or a UUID. */
static bool
is_id(const char *text)
{
	uint8_t uuid[UUID_BYTES];

	return is_xid(text) || uuid_parse(text, uuid);
}

enum rc
feed_look_read(struct arena *arena, const char *text, struct feed_look *look,
	struct fault *fault)
{
	const char **parts[] = {
		&look->since, &look->until, &look->xid, &look->id};
	const char *at = text + MARK_BYTES;

	if (strncmp(text, LOOK_MARK, MARK_BYTES) != 0)
		return invalid(fault);
	for (size_t i = 0; i < ARRAY_LENGTH(parts); i++) {
		size_t length = strcspn(at, ".");

		*parts[i] = arena_strndup(arena, at, length);
		at += length;
		if (*at == '.' && i + 1 < ARRAY_LENGTH(parts))
			at++;
	}
	if (*at != '\0' || !is_snapshot(look->since) ||
		(look->until[0] != '\0' && !is_snapshot(look->until)) ||
		!is_xid(look->xid) || !is_id(look->id))
		return invalid(fault);
	return RC_OK;
}

/* --- cutting off ---------------------------------------------------------- */

static uint64_t
lesser(uint64_t one, uint64_t other)
{
	return one < other ? one : other;
}

static const char *
cut_snapshot(struct arena *arena, const char *text, uint64_t base)
{
	const char *at = text;
	uint64_t first = 0;
	uint64_t end = 0;
	struct buf out;

	take_xid(&at, &first);
	at++;
	take_xid(&at, &end);
	at++;
	if (end <= base)
		return text;
	buf_init(&out, 0);
	buf_printf(&out, "%" PRIu64 ":%" PRIu64 ":", lesser(first, base), base);
	for (const char *comma = ""; *at != '\0'; at += *at == ',') {
		uint64_t number;

		if (!take_xid(&at, &number))
			break;
		if (number < base)
			buf_printf(&out, "%s%" PRIu64, comma, number);
		if (number < base)
			comma = ",";
	}
	text = arena_strndup(arena, out.data, out.length);
	buf_free(&out);
	return text;
}

/* Pages rise in their numbers: one whose place is behind the base has shown
 * all that is before it. */
void
feed_look_cut(struct arena *arena, int64_t base, const char *none,
	struct feed_look *look)
{
	const char *at = look->xid;
	uint64_t place = 0;

	look->since = cut_snapshot(arena, look->since, (uint64_t)base);
	if (look->until[0] == '\0')
		return;
	look->until = cut_snapshot(arena, look->until, (uint64_t)base);
	take_xid(&at, &place);
	if (place < (uint64_t)base)
		return;
	*look = (struct feed_look){look->until, "", "0", none};
}
