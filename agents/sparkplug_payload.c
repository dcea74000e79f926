/* sparkplug_payload: a Sparkplug B payload as plain readings. */

#include "agents/sparkplug_payload.h"

#include <string.h>

#include "agents/sparkplug.pb-c.h"
#include "lib/clock.h"
#include "lib/utf8.h"

#define QUALITY_GOOD 192
#define TIME_MS_MAX  (UINT64_C(1) << 53)

/* --- memory of the decoder ----------------------------------------------- */

static void *
take_memory(void *context, size_t bytes)
{
	struct arena *arena = context;

	if (bytes > SPARKPLUG_MEMORY_MAX ||
		arena_used(arena) + bytes > SPARKPLUG_MEMORY_MAX)
		return NULL;
	return arena_alloc(arena, bytes);
}

static void
leave_memory(void *context, void *memory)
{
	(void)context; /* the arena is reset as a whole */
	(void)memory;
}

/* --- reading ------------------------------------------------------------- */

static int64_t
from_ms(bool given, uint64_t time_ms)
{
	return given && time_ms <= TIME_MS_MAX ? (int64_t)time_ms * 1000
					       : CLOCK_NEVER;
}

static bool
has_bad_quality(const Sparkplug__Properties *properties)
{
	if (properties == NULL)
		return false;
	for (size_t i = 0; i < properties->n_keys && i < properties->n_values;
		i++)
		if (strcmp(properties->keys[i], "Quality") == 0)
			return properties->values[i]->has_int_value &&
			       properties->values[i]->int_value != QUALITY_GOOD;
	return false;
}

static void
take_form(const Sparkplug__Metric *metric, struct sparkplug_reading *reading)
{
	reading->form = SPARKPLUG_NOTHING;
	if (metric->has_is_null && metric->is_null)
		return;
	switch (metric->value_case) {
	case SPARKPLUG__METRIC__VALUE_INT_VALUE:
		reading->form = SPARKPLUG_WHOLE;
		reading->whole = metric->int_value;
		break;
	case SPARKPLUG__METRIC__VALUE_LONG_VALUE:
		reading->form = SPARKPLUG_WHOLE;
		reading->whole = metric->long_value;
		break;
	case SPARKPLUG__METRIC__VALUE_FLOAT_VALUE:
		reading->form = SPARKPLUG_NUMBER;
		reading->number = (double)metric->float_value;
		break;
	case SPARKPLUG__METRIC__VALUE_DOUBLE_VALUE:
		reading->form = SPARKPLUG_NUMBER;
		reading->number = metric->double_value;
		break;
	case SPARKPLUG__METRIC__VALUE_BOOLEAN_VALUE:
		reading->form = SPARKPLUG_TRUTH;
		reading->truth = metric->boolean_value;
		break;
	case SPARKPLUG__METRIC__VALUE_STRING_VALUE:
		reading->form = SPARKPLUG_WORDS;
		reading->words = metric->string_value;
		break;
	default:
		break;
	}
}

static void
take_metric(const Sparkplug__Metric *metric, struct sparkplug_reading *reading)
{
	reading->name = metric->name != NULL ? metric->name : "";
	reading->has_alias = metric->has_alias;
	reading->alias = metric->alias;
	reading->type =
		metric->has_datatype ? metric->datatype : SPARKPLUG_UNKNOWN;
	reading->time_us = from_ms(metric->has_timestamp, metric->timestamp);
	reading->bad = has_bad_quality(metric->properties);
	take_form(metric, reading);
}

bool
sparkplug_payload_read(struct arena *arena, const void *data, size_t bytes,
	struct sparkplug_payload *payload)
{
	ProtobufCAllocator memory = {.alloc = take_memory,
		.free = leave_memory,
		.allocator_data = arena};
	const Sparkplug__Payload *message =
		sparkplug__payload__unpack(&memory, bytes, data);

	if (message == NULL)
		return false;
	payload->time_us = from_ms(message->has_timestamp, message->timestamp);
	payload->has_sequence = message->has_seq;
	payload->sequence = message->seq;
	payload->count = message->n_metrics;
	payload->readings =
		arena_array(arena, payload->count, sizeof(*payload->readings));
	for (size_t i = 0; i < payload->count; i++)
		take_metric(message->metrics[i], &payload->readings[i]);
	return true;
}

/* --- values -------------------------------------------------------------- */

/* Small integers come in 32 bits, with their sign or without. */
static void
take_whole(uint64_t whole, uint32_t type, struct value *value)
{
	*value = (struct value){.kind = VALUE_INT};
	switch (type) {
	case SPARKPLUG_INT8:
		value->integer = (int64_t)((whole & 0xff) ^ 0x80) - 0x80;
		break;
	case SPARKPLUG_INT16:
		value->integer = (int16_t)whole;
		break;
	case SPARKPLUG_INT32:
		value->integer = (int32_t)whole;
		break;
	case SPARKPLUG_UINT8:
		value->integer = (uint8_t)whole;
		break;
	case SPARKPLUG_UINT16:
		value->integer = (uint16_t)whole;
		break;
	case SPARKPLUG_UINT32:
		value->integer = (uint32_t)whole;
		break;
	case SPARKPLUG_UINT64:
		if (whole > INT64_MAX)
			*value = (struct value){
				.kind = VALUE_FLOAT, .number = (double)whole};
		else
			value->integer = (int64_t)whole;
		break;
	default:
		value->integer = (int64_t)whole;
		break;
	}
}

static bool
take_words(const char *words, struct value *value)
{
	size_t bytes = strlen(words);

	if (bytes > VALUE_STRING_BYTES_MAX || !utf8_valid(words, bytes))
		return false;
	*value = (struct value){.kind = VALUE_STRING};
	value->string.data = words;
	value->string.bytes = (uint32_t)bytes;
	return true;
}

bool
sparkplug_reading_value(const struct sparkplug_reading *reading, uint32_t type,
	struct value *value)
{
	if (reading->type != SPARKPLUG_UNKNOWN)
		type = reading->type;
	if (type > SPARKPLUG_UUID)
		return false;
	switch (reading->form) {
	case SPARKPLUG_WHOLE:
		take_whole(reading->whole, type, value);
		return true;
	case SPARKPLUG_NUMBER:
		*value = (struct value){
			.kind = VALUE_FLOAT, .number = reading->number};
		return true;
	case SPARKPLUG_TRUTH:
		*value = (struct value){
			.kind = VALUE_BOOL, .boolean = reading->truth};
		return true;
	case SPARKPLUG_WORDS:
		return take_words(reading->words, value);
	default:
		return false;
	}
}

size_t
sparkplug_rebirth_write(uint8_t *out, size_t room, int64_t now_us)
{
	char name[] = "Node Control/Rebirth";
	Sparkplug__Metric metric = SPARKPLUG__METRIC__INIT;
	Sparkplug__Metric *metrics[] = {&metric};
	Sparkplug__Payload payload = SPARKPLUG__PAYLOAD__INIT;

	metric.name = name;
	metric.has_timestamp = payload.has_timestamp = true;
	metric.timestamp = payload.timestamp = (uint64_t)(now_us / 1000);
	metric.has_datatype = true;
	metric.datatype = SPARKPLUG_BOOLEAN;
	metric.value_case = SPARKPLUG__METRIC__VALUE_BOOLEAN_VALUE;
	metric.boolean_value = true;
	payload.metrics = metrics;
	payload.n_metrics = 1;
	if (sparkplug__payload__get_packed_size(&payload) > room)
		return 0;
	return sparkplug__payload__pack(&payload, out);
}
