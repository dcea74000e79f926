/*
 * fuzz/alarm_engine: any bytes as a saved state, and any samples behind it.
 *
 * Two bytes are the length of the state, which gets its magic and checksum;
 * then each sample or tick is four bytes.
 */

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/crc32c.h"
#include "lib/wire.h"
#include "model/alarm_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

#define BEGIN_US INT64_C(1700000000000000)
#define LIMITS   10

static const struct {
	const char *variable;
	int32_t id;
	enum value_kind kind;
	enum alarm_condition condition;
} shapes[LIMITS] = {
	{"f", 1, VALUE_FLOAT, ALARM_GREATER},
	{"f", 1, VALUE_FLOAT, ALARM_LESS},
	{"f", 1, VALUE_FLOAT, ALARM_OUTSIDE},
	{"f", 1, VALUE_FLOAT, ALARM_RANGE},
	{"i", 2, VALUE_INT, ALARM_BIT},
	{"i", 2, VALUE_INT, ALARM_STATUS},
	{"i", 2, VALUE_INT, ALARM_CHANGE},
	{"b", 3, VALUE_BOOL, ALARM_EQUAL},
	{"s", 4, VALUE_STRING, ALARM_EQUAL},
	{"s", 4, VALUE_STRING, ALARM_CHANGE},
};

static struct alarm_limit limits[LIMITS];
static struct alarm_target targets[LIMITS];

static void
make_limits(void)
{
	static const char *const names[] = {"0", "1", "2", "3"};

	for (size_t i = 0; i < LIMITS; i++) {
		struct alarm_limit *limit = &limits[i];
		bool bounds = shapes[i].condition == ALARM_OUTSIDE ||
			      shapes[i].condition == ALARM_RANGE;
		bool change = shapes[i].condition == ALARM_CHANGE;

		*limit = alarm_limit_default();
		limit->variable = shapes[i].variable;
		limit->name = names[i % 4];
		limit->condition = shapes[i].condition;
		limit->text = "{value} {unit} {limit}";
		if (bounds) {
			limit->low = 40;
			limit->high = 80;
			limit->hysteresis = 5;
		} else if (shapes[i].kind == VALUE_STRING && !change) {
			limit->match = "aa";
		} else if (!change) {
			limit->value = 1;
		}
		limit->on_delay_ms = change || i % 2 == 0 ? 0 : 500;
		limit->off_delay_ms = i % 3 == 0 ? 0 : 700;
		limit->each_change = i % 4 == 1;
		limit->reactivates = i % 3 == 1;
		limit->suppressed_by = i == 0 ? "b" : "";
		targets[i] = (struct alarm_target){.limit = limit,
			.variable_id = shapes[i].id,
			.kind = shapes[i].kind,
			.unit = "K",
			.decimals = 1,
			.suppressor_id = i == 0 ? 3 : 0};
	}
}

static int32_t
find(const void *context, const char *name)
{
	(void)context;
	for (size_t i = 0; i < LIMITS; i++)
		if (strcmp(shapes[i].variable, name) == 0)
			return shapes[i].id;
	return 0;
}

static struct alarm_engine *
new_engine(const struct buf *state)
{
	struct alarm_engine *engine = alarm_engine_new();
	struct fault fault;

	alarm_engine_set(engine, targets, LIMITS, BEGIN_US);
	if (alarm_engine_load(engine, state->data, state->length, find, NULL,
		    BEGIN_US, &fault) != RC_OK)
		alarm_engine_set(engine, targets, LIMITS, BEGIN_US);
	return engine;
}

/* What was saved and loaded is saved as the same. */
static void
check_round(struct alarm_engine *engine)
{
	struct alarm_engine *other;
	struct buf first;
	struct buf second;

	buf_init(&first, 0);
	buf_init(&second, 0);
	alarm_engine_save(engine, 0, &first);
	other = new_engine(&first);
	alarm_engine_save(other, 0, &second);
	if (first.length != second.length ||
		memcmp(first.data, second.data, first.length) != 0)
		abort();
	alarm_engine_free(other);
	buf_free(&first);
	buf_free(&second);
}

static void
check_changes(struct alarm_engine *engine)
{
	const struct alarm_change *changes;
	size_t count = alarm_engine_changes(engine, &changes);

	for (size_t i = 0; i < count; i++) {
		const struct alarm_change *change = &changes[i];

		if (change->variable_id < 1 || change->variable_id > 4 ||
			strlen(change->text) > ALARM_TEXT_BYTES ||
			(change->kind == ALARM_WENT) !=
				(change->went_us != CLOCK_NEVER))
			abort();
	}
	alarm_engine_taken(engine, count);
}

static struct value
make_value(const uint8_t *op, char text[2])
{
	struct value value = {.kind = VALUE_STRING};

	switch (op[0] & 3) {
	case 0:
		return (struct value){.kind = VALUE_FLOAT, .number = op[1]};
	case 1:
		return (struct value){.kind = VALUE_INT, .integer = op[1]};
	case 2:
		return (struct value){.kind = VALUE_BOOL, .boolean = op[1] & 1};
	default:
		text[0] = text[1] = (char)('a' + (op[1] & 1));
		value.string.data = text;
		value.string.bytes = op[1] >> 1 & 1 ? 2 : 1;
		return value;
	}
}

/* op: variable and kind of step, value, status, time */
static void
run(struct alarm_engine *engine, const uint8_t *op, int64_t *at_us)
{
	char text[2];
	const struct sample sample = {.variable_id = (op[0] & 3) + 1,
		.time_us = BEGIN_US + *at_us,
		.status = op[2] & 1 ? STATUS_INVALID : op[2],
		.value = make_value(op, text)};

	if (op[0] & 0x80)
		alarm_engine_tick(engine, *at_us);
	else
		alarm_engine_put(engine, &sample, *at_us);
	*at_us += (op[3] - 16) * INT64_C(50000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	struct alarm_engine *engine;
	struct buf state;
	uint8_t head[5];
	uint8_t crc[4];
	size_t bytes;
	int64_t at_us = 0;

	if (length < 2)
		return 0;
	if (limits[0].name == NULL)
		make_limits();
	bytes = (size_t)(data[0] | data[1] << 8) % (length - 1);
	buf_init(&state, 0);
	wire_put_u32(head, UINT32_C(0x45414746));
	head[4] = 1;
	buf_add(&state, head, sizeof(head));
	buf_add(&state, data + 2, bytes);
	wire_put_u32(crc, crc32c(0, state.data, state.length));
	buf_add(&state, crc, sizeof(crc));
	engine = new_engine(&state);
	buf_free(&state);
	alarm_engine_taken(engine, alarm_engine_changes(engine,
					   &(const struct alarm_change *){0}));
	for (size_t i = 2 + bytes; i + 4 <= length; i += 4) {
		run(engine, data + i, &at_us);
		if (i % 256 < 4)
			check_round(engine);
		check_changes(engine);
	}
	alarm_engine_repeat(engine, BEGIN_US);
	check_round(engine);
	alarm_engine_free(engine);
	return 0;
}
