/* fuzz/command: any bytes as the hub's stream, its commands, the values in
 * them, and as an agent's journal. */

#include <stdlib.h>
#include <string.h>

#include "agents/command_journal.h"
#include "agents/command_order.h"
#include "lib/crc32c.h"
#include "lib/sse.h"
#include "lib/wire.h"
#include "model/command_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static void
take_event(void *context, const char *name, const char *data, size_t length)
{
	struct arena *arena = context;
	struct command_order order;
	struct fault fault;

	if (strlen(name) == 0 || strlen(data) > length)
		abort();
	if (command_order_read(arena, data, length, &order, &fault) != RC_OK)
		return;
	for (int kind = VALUE_BOOL; kind <= VALUE_STRING; kind++) {
		struct value value;

		if (command_value_read(arena, (enum value_kind)kind,
			    order.value, "value", &value, &fault) == RC_OK &&
			value.kind != (enum value_kind)kind)
			abort();
	}
}

static void
read_stream(const uint8_t *data, size_t length, size_t step)
{
	struct arena *arena = arena_new();
	struct sse sse;

	sse_init(&sse, 4096);
	sse.take = take_event;
	sse.context = arena;
	for (size_t at = 0; at < length; at += step)
		sse_feed(&sse, (const char *)data + at,
			length - at < step ? length - at : step);
	sse_free(&sse);
	arena_free(arena);
}

static void
take_entry(void *context, const struct command_entry *entry)
{
	size_t *count = context;

	if (entry->step < COMMAND_BEGUN || entry->step > COMMAND_TOLD ||
		(entry->text != NULL &&
			strlen(entry->text) > COMMAND_JOURNAL_TEXT_BYTES))
		abort();
	(*count)++;
}

/* Most inputs fail at the CRC; with the right one they get further. */
static void
read_journal(const uint8_t *data, size_t length)
{
	uint8_t *copy = malloc(length + 1);
	size_t count = 0;

	if (copy == NULL)
		abort();
	memcpy(copy, data, length);
	if (command_journal_read(copy, length, take_entry, &count) > length)
		abort();
	if (length > 8) {
		wire_put_u32(copy, (uint32_t)(length - 8));
		wire_put_u32(copy + 4, crc32c(0, copy + 8, length - 8));
		command_journal_read(copy, length, take_entry, &count);
	}
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	read_stream(data, length, length + 1);
	read_stream(data, length, 7);
	read_journal(data, length);
	return 0;
}
