/* alarm_engine_change: what has happened, until it is taken. */

#include <stdlib.h>
#include <string.h>

#include "model/alarm_engine_parts.h"
#include "model/alarm_text.h"

void
alarm_held_take(struct alarm_held *held, const struct value *value)
{
	held->value = *value;
	if (value->kind != VALUE_STRING)
		return;
	if (held->room <= value->string.bytes) {
		held->room = (size_t)value->string.bytes + 1;
		held->text = realloc(held->text, held->room);
		if (held->text == NULL)
			abort();
	}
	memcpy(held->text, value->string.data, value->string.bytes);
	held->text[value->string.bytes] = '\0';
	held->value.string.data = held->text;
}

static uint32_t
flags_of(const struct alarm_rule *rule, const struct alarm_course *course)
{
	return (rule->uncertain ? ALARM_UNCERTAIN : 0u) |
	       (course->chattering ? ALARM_CHATTERING : 0u) |
	       (rule->suppressed ? ALARM_SUPPRESSED : 0u);
}

static void
make_room(struct alarm_engine *engine)
{
	if (engine->change_count < engine->change_room)
		return;
	engine->change_room = engine->change_room * 2 + 64;
	engine->changes = realloc(engine->changes,
		engine->change_room * sizeof(*engine->changes));
	engine->variables = realloc(engine->variables,
		engine->change_room * sizeof(*engine->variables));
	if (engine->changes == NULL || engine->variables == NULL)
		abort();
}

void
alarm_tell(struct alarm_engine *engine, const char *variable,
	const struct alarm_change *told)
{
	struct arena *words = engine->words;
	struct alarm_change *change;

	make_room(engine);
	engine->variables[engine->change_count] = arena_strdup(words, variable);
	change = &engine->changes[engine->change_count++];
	*change = *told;
	change->limit = arena_strdup(words, told->limit);
	change->text = arena_strdup(words, told->text);
	if (told->value.kind == VALUE_STRING)
		change->value.string.data = arena_strndup(words,
			told->value.string.data, told->value.string.bytes);
	engine->version++;
}

void
alarm_emit(struct alarm_engine *engine, size_t index,
	enum alarm_change_kind kind, int64_t time_us)
{
	const struct alarm_course *course = &engine->courses[index];
	struct alarm_change change = {
		.variable_id = course->variable_id,
		.limit = course->limit.name,
		.kind = kind,
		.time_us = time_us,
		.came_us = course->came_us,
		.went_us = course->went_us,
		.reactivated_us = course->reactivated_us,
		.reactivations = course->reactivations,
		.flags = flags_of(&engine->rules[index], course),
		.status = course->status,
		.value = course->value.value,
		.text = alarm_text(engine->words, &course->limit, course->unit,
			course->decimals, &course->value.value),
	};

	memcpy(change.id, course->id, sizeof(change.id));
	alarm_tell(engine, course->limit.variable, &change);
}

size_t
alarm_engine_changes(
	const struct alarm_engine *engine, const struct alarm_change **changes)
{
	*changes = engine->changes;
	return engine->change_count;
}

void
alarm_engine_taken(struct alarm_engine *engine, size_t count)
{
	size_t left = engine->change_count - count;

	engine->change_count = left;
	if (count > 0)
		engine->version++;
	if (left == 0) {
		arena_reset(engine->words);
		return;
	}
	memmove(engine->changes, engine->changes + count,
		left * sizeof(*engine->changes));
	memmove(engine->variables, engine->variables + count,
		left * sizeof(*engine->variables));
}

uint64_t
alarm_engine_version(const struct alarm_engine *engine)
{
	return engine->version;
}
