/* alarm_engine_save: the state of the engine as bytes, and back. */

#include "model/alarm_engine_parts.h"
#include "model/value_wire.h"

#include <string.h>

#include "lib/crc32c.h"
#include "lib/utf8.h"
#include "lib/wire.h"

/*
 * Magic u32, version u8, count of limits, each: names, phase, flags, begin,
 * alarm; count of changes; CRC32C u32 of all before it. Numbers are varints,
 * times zigzag varints, texts their length and bytes.
 */
#define STATE_MAGIC    UINT32_C(0x45414746) /* "FGAE" */
#define STATE_VERSION  1
#define STATE_MIN      10
#define NAME_BYTES_MAX 256

enum state_flags {
	STATE_UNCERTAIN = 1,
	STATE_SUPPRESSED = 2,
	STATE_CHATTERING = 4,
};

/* --- saving --------------------------------------------------------------- */

static void
add_text(struct buf *out, const char *text)
{
	size_t bytes = strlen(text);

	wire_add_varint(out, bytes);
	buf_add(out, text, bytes);
}

static bool
is_chattery(
	const struct alarm_engine *engine, const struct alarm_course *course)
{
	int64_t last_us = course->comes[ALARM_CHATTER_COUNT - 1];

	return last_us != CLOCK_NEVER &&
	       engine->latest_us - last_us <= ALARM_CHATTER_US;
}

/* Most limits are as if nothing had ever happened. */
static bool
is_worth(const struct alarm_engine *engine, size_t index)
{
	const struct alarm_rule *rule = &engine->rules[index];
	const struct alarm_course *course = &engine->courses[index];

	return rule->phase != PHASE_NORMAL || rule->suppressed ||
	       alarm_may_return(course) || is_chattery(engine, course) ||
	       (rule->test == TEST_CHANGE &&
		       course->last.value.kind != VALUE_NONE);
}

static void
add_rule(struct buf *out, const struct alarm_rule *rule,
	const struct alarm_course *course)
{
	add_text(out, course->limit.variable);
	add_text(out, course->limit.name);
	wire_add_u8(out, rule->phase);
	wire_add_u8(out, (rule->uncertain ? STATE_UNCERTAIN : 0u) |
				 (rule->suppressed ? STATE_SUPPRESSED : 0u) |
				 (course->chattering ? STATE_CHATTERING : 0u));
	wire_add_zigzag(out, rule->begin_us);
	buf_add(out, course->id, sizeof(course->id));
	wire_add_zigzag(out, course->came_us);
	wire_add_zigzag(out, course->went_us);
	wire_add_zigzag(out, course->reactivated_us);
	wire_add_varint(out, course->reactivations);
	wire_add_varint(out, course->status);
	value_wire_add_kind(out, &course->value.value);
	for (size_t i = 0; i < ALARM_CHATTER_COUNT; i++)
		wire_add_zigzag(out, course->comes[i]);
	value_wire_add_kind(out, &course->last.value);
	wire_add_varint(out, course->last_status);
}

static void
add_change(struct buf *out, const struct alarm_engine *engine, size_t index)
{
	const struct alarm_change *change = &engine->changes[index];

	add_text(out, engine->variables[index]);
	add_text(out, change->limit);
	wire_add_u8(out, change->kind);
	buf_add(out, change->id, sizeof(change->id));
	wire_add_zigzag(out, change->time_us);
	wire_add_zigzag(out, change->came_us);
	wire_add_zigzag(out, change->went_us);
	wire_add_zigzag(out, change->reactivated_us);
	wire_add_varint(out, change->reactivations);
	wire_add_varint(out, change->flags);
	wire_add_varint(out, change->status);
	value_wire_add_kind(out, &change->value);
	add_text(out, change->text);
}

void
alarm_engine_save(
	const struct alarm_engine *engine, size_t skip, struct buf *out)
{
	size_t start = out->length;
	size_t worth = 0;
	uint8_t number[sizeof(uint32_t)];

	wire_put_u32(number, STATE_MAGIC);
	buf_add(out, number, sizeof(number));
	wire_add_u8(out, STATE_VERSION);
	for (size_t i = 0; i < engine->count; i++)
		worth += is_worth(engine, i);
	wire_add_varint(out, worth);
	for (size_t i = 0; i < engine->count; i++)
		if (is_worth(engine, i))
			add_rule(out, &engine->rules[i], &engine->courses[i]);
	wire_add_varint(out, engine->change_count - skip);
	for (size_t i = skip; i < engine->change_count; i++)
		add_change(out, engine, i);
	wire_put_u32(number, crc32c(0, out->data + start, out->length - start));
	buf_add(out, number, sizeof(number));
}

/* --- loading -------------------------------------------------------------- */

/* One load under way. */
struct load {
	struct alarm_engine *engine;
	struct wire_reader in;
	struct arena *arena; /* of the texts that are read */
	alarm_engine_find_fn *find;
	const void *context;
	int64_t now_us;
};

/* A rule as it was saved. */
struct saved {
	const char *variable;
	const char *name;
	struct alarm_rule rule;
	struct alarm_course course;
};

/* A time that arithmetic cannot carry away. */
static int64_t
take_time(struct load *load)
{
	int64_t time_us = wire_take_zigzag(&load->in);

	if (time_us != CLOCK_NEVER &&
		(time_us < -ALARM_TIME_MAX_US || time_us > ALARM_TIME_MAX_US))
		load->in.failed = true;
	return load->in.failed ? CLOCK_NEVER : time_us;
}

static const char *
take_text(struct load *load, size_t most)
{
	uint64_t bytes = wire_take_varint(&load->in);
	const uint8_t *text = NULL;

	if (bytes > most)
		load->in.failed = true;
	else
		text = wire_take(&load->in, (size_t)bytes);
	if (text == NULL || memchr(text, '\0', (size_t)bytes) != NULL ||
		!utf8_valid((const char *)text, (size_t)bytes)) {
		load->in.failed = true;
		return "";
	}
	return arena_strndup(load->arena, (const char *)text, (size_t)bytes);
}

static struct value
take_value(struct load *load)
{
	struct value value = {.kind = (enum value_kind)wire_take_u8(&load->in)};
	uint64_t bits;

	switch (value.kind) {
	case VALUE_NONE:
		break;
	case VALUE_BOOL:
		value.boolean = wire_take_u8(&load->in) != 0;
		break;
	case VALUE_FLOAT:
		bits = wire_take_u64(&load->in);
		memcpy(&value.number, &bits, sizeof(bits));
		break;
	case VALUE_INT:
		value.integer = wire_take_zigzag(&load->in);
		break;
	case VALUE_STRING:
		value.string.data = take_text(load, VALUE_STRING_BYTES_MAX);
		value.string.bytes = (uint32_t)strlen(value.string.data);
		break;
	default:
		load->in.failed = true;
		value.kind = VALUE_NONE;
	}
	return value;
}

static void
take_id(struct load *load, uint8_t id[UUID_BYTES])
{
	const uint8_t *bytes = wire_take(&load->in, UUID_BYTES);

	if (bytes != NULL)
		memcpy(id, bytes, UUID_BYTES);
}

static uint32_t
take_u32(struct load *load)
{
	uint64_t number = wire_take_varint(&load->in);

	if (number > UINT32_MAX)
		load->in.failed = true;
	return (uint32_t)number;
}

static void
take_rule(struct load *load, struct saved *saved)
{
	struct alarm_course *course = &saved->course;
	unsigned flags;

	saved->variable = take_text(load, NAME_BYTES_MAX);
	saved->name = take_text(load, ALARM_LIMIT_NAME_BYTES_MAX);
	saved->rule.phase = (uint8_t)wire_take_u8(&load->in);
	flags = wire_take_u8(&load->in);
	saved->rule.uncertain = (flags & STATE_UNCERTAIN) != 0;
	saved->rule.suppressed = (flags & STATE_SUPPRESSED) != 0;
	course->chattering = (flags & STATE_CHATTERING) != 0;
	saved->rule.begin_us = take_time(load);
	take_id(load, course->id);
	course->came_us = take_time(load);
	course->went_us = take_time(load);
	course->reactivated_us = take_time(load);
	course->reactivations = take_u32(load);
	course->status = wire_take_varint(&load->in);
	course->value.value = take_value(load);
	for (size_t i = 0; i < ALARM_CHATTER_COUNT; i++)
		course->comes[i] = take_time(load);
	course->last.value = take_value(load);
	course->last_status = wire_take_varint(&load->in);
	if (saved->rule.phase > PHASE_RISING ||
		(saved->rule.phase >= PHASE_FALLING &&
			saved->rule.begin_us == CLOCK_NEVER) ||
		(alarm_is_on(&saved->rule) &&
			(course->came_us == CLOCK_NEVER ||
				course->went_us != CLOCK_NEVER)))
		load->in.failed = true;
}

/* Nobody evaluates it any more: its alarm goes. */
static void
end_alarm(struct load *load, const struct saved *saved)
{
	struct alarm_engine *engine = load->engine;
	const struct alarm_course *course = &saved->course;
	struct alarm_change change = {
		.variable_id = load->find(load->context, saved->variable),
		.limit = saved->name,
		.kind = ALARM_WENT,
		.time_us = load->now_us,
		.came_us = course->came_us,
		.went_us = load->now_us > course->came_us ? load->now_us
							  : course->came_us,
		.reactivated_us = course->reactivated_us,
		.reactivations = course->reactivations,
		.status = course->status,
		.value = course->value.value,
		.text = "",
	};

	memcpy(change.id, course->id, sizeof(change.id));
	if (change.variable_id > 0 && alarm_is_on(&saved->rule))
		alarm_tell(engine, saved->variable, &change);
}

static void
put_rule(struct load *load, const struct saved *saved)
{
	struct alarm_engine *engine = load->engine;
	size_t index = alarm_rule_find(engine, saved->variable, saved->name);
	struct alarm_rule *rule;
	struct alarm_course *course;

	if (index == SIZE_MAX) {
		end_alarm(load, saved);
		return;
	}
	rule = &engine->rules[index];
	course = &engine->courses[index];
	rule->phase = saved->rule.phase;
	rule->uncertain = saved->rule.uncertain;
	rule->suppressed = saved->rule.suppressed && course->suppressor_id > 0;
	rule->begin_us = saved->rule.begin_us;
	rule->due_us = INT64_MAX; /* until a sample says how it goes on */
	rule->loaded = true;
	memcpy(course->id, saved->course.id, sizeof(course->id));
	course->came_us = saved->course.came_us;
	course->went_us = saved->course.went_us;
	course->reactivated_us = saved->course.reactivated_us;
	course->reactivations = saved->course.reactivations;
	course->chattering = saved->course.chattering;
	course->status = saved->course.status;
	alarm_held_take(&course->value, &saved->course.value.value);
	memcpy(course->comes, saved->course.comes, sizeof(course->comes));
	if (course->comes[ALARM_CHATTER_COUNT - 1] > engine->latest_us)
		engine->latest_us = course->comes[ALARM_CHATTER_COUNT - 1];
	alarm_held_take(&course->last, &saved->course.last.value);
	course->last_status = saved->course.last_status;
}

static void
take_change(struct load *load, bool keep)
{
	const char *variable = take_text(load, NAME_BYTES_MAX);
	struct alarm_change change = {
		.limit = take_text(load, ALARM_LIMIT_NAME_BYTES_MAX),
		.kind = (enum alarm_change_kind)wire_take_u8(&load->in),
	};

	if (change.kind < ALARM_CAME || change.kind > ALARM_CHANGED)
		load->in.failed = true;
	take_id(load, change.id);
	change.time_us = take_time(load);
	change.came_us = take_time(load);
	change.went_us = take_time(load);
	change.reactivated_us = take_time(load);
	change.reactivations = take_u32(load);
	change.flags = take_u32(load) & ALARM_FLAGS;
	change.status = wire_take_varint(&load->in);
	change.value = take_value(load);
	change.text = take_text(load, ALARM_TEXT_BYTES);
	if (!keep || load->in.failed)
		return;
	change.variable_id = load->find(load->context, variable);
	if (change.variable_id > 0)
		alarm_tell(load->engine, variable, &change);
}

/* Everything once to see that it is whole, and once to keep it. */
static bool
walk(struct load *load, bool keep)
{
	uint64_t count = wire_take_varint(&load->in);

	for (uint64_t i = 0; i < count && !load->in.failed; i++) {
		struct saved saved = {.name = ""};

		take_rule(load, &saved);
		if (keep && !load->in.failed)
			put_rule(load, &saved);
		arena_reset(load->arena);
	}
	count = wire_take_varint(&load->in);
	for (uint64_t i = 0; i < count && !load->in.failed; i++) {
		take_change(load, keep);
		arena_reset(load->arena);
	}
	return !load->in.failed && wire_left(&load->in) == 0;
}

static bool
is_state(const uint8_t *bytes, size_t length)
{
	return length >= STATE_MIN && wire_u32(bytes) == STATE_MAGIC &&
	       bytes[4] == STATE_VERSION &&
	       crc32c(0, bytes, length - 4) == wire_u32(bytes + length - 4);
}

enum rc
alarm_engine_load(struct alarm_engine *engine, const void *data, size_t length,
	alarm_engine_find_fn *find, const void *context, int64_t now_us,
	struct fault *fault)
{
	const uint8_t *bytes = data;
	struct load load = {.engine = engine,
		.find = find,
		.context = context,
		.now_us = now_us};
	bool whole = is_state(bytes, length);

	load.arena = arena_new();
	for (int keep = 0; keep < 2 && whole; keep++) {
		load.in = wire_reader(bytes + 5, length - 9);
		whole = walk(&load, keep == 1);
	}
	arena_free(load.arena);
	engine->version++;
	return whole ? RC_OK
		     : fault_set(fault, RC_BAD_INPUT,
			       "the saved state of alarms is damaged");
}
