/* alarm_engine_set: which limits are evaluated. */

#include "model/alarm_engine_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void *
new_array(size_t count, size_t bytes)
{
	void *array = calloc(count + 1, bytes);

	if (array == NULL)
		abort();
	return array;
}

static void
forget_courses(struct alarm_course *courses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(courses[i].value.text);
		free(courses[i].last.text);
	}
	free(courses);
}

/* --- one rule ------------------------------------------------------------- */

/* Beginning and staying violated, as what a number must be outside of. */
static void
set_bounds(struct alarm_rule *rule, double low, double high, double low_held,
	double high_held)
{
	rule->low[0] = low;
	rule->high[0] = high;
	rule->low[1] = low_held;
	rule->high[1] = high_held;
}

static void
set_test(struct alarm_rule *rule, const struct alarm_limit *limit)
{
	double play = limit->hysteresis;
	double value = limit->value;

	switch (limit->condition) {
	case ALARM_GREATER:
		set_bounds(rule, -INFINITY, value, -INFINITY, value - play);
		break;
	case ALARM_LESS:
		set_bounds(rule, value, INFINITY, value + play, INFINITY);
		break;
	case ALARM_OUTSIDE:
		set_bounds(rule, limit->low, limit->high, limit->low + play,
			limit->high - play);
		break;
	case ALARM_RANGE:
		rule->inverted = true;
		set_bounds(rule, limit->low, limit->high, limit->low - play,
			limit->high + play);
		break;
	case ALARM_EQUAL:
		rule->inverted = true;
		rule->test = limit->match != NULL ? TEST_MATCH : TEST_NUMBER;
		set_bounds(rule, value, value, value - play, value + play);
		break;
	case ALARM_BIT:
	case ALARM_STATUS:
		rule->test =
			limit->condition == ALARM_BIT ? TEST_BIT : TEST_STATUS;
		rule->bit = (uint8_t)value;
		break;
	case ALARM_CHANGE:
		rule->test = TEST_CHANGE;
		break;
	}
}

static struct texts
copy_areas(struct arena *arena, const struct texts *areas)
{
	const char **items = arena_array(arena, areas->count, sizeof(*items));

	for (size_t i = 0; i < areas->count; i++)
		items[i] = arena_strdup(arena, areas->items[i]);
	return (struct texts){areas->count, items};
}

static struct alarm_limit
copy_limit(struct arena *arena, const struct alarm_limit *limit)
{
	struct alarm_limit copy = *limit;

	copy.variable = arena_strdup(arena, limit->variable);
	copy.name = arena_strdup(arena, limit->name);
	if (limit->match != NULL)
		copy.match = arena_strdup(arena, limit->match);
	copy.text = arena_strdup(arena, limit->text);
	copy.suppressed_by = arena_strdup(arena, limit->suppressed_by);
	copy.areas = copy_areas(arena, &limit->areas);
	return copy;
}

static void
make_rule(struct alarm_engine *engine, size_t index,
	const struct alarm_target *target)
{
	struct alarm_rule *rule = &engine->rules[index];
	struct alarm_course *course = &engine->courses[index];

	*rule = (struct alarm_rule){.each = target->limit->each_change};
	set_test(rule, target->limit);
	rule->alert = rule->each || rule->test == TEST_CHANGE;
	*course = (struct alarm_course){
		.limit = copy_limit(engine->definitions, target->limit),
		.variable_id = target->variable_id,
		.kind = target->kind,
		.unit = arena_strdup(engine->definitions, target->unit),
		.decimals = target->decimals,
		.suppressor_id = target->suppressor_id,
		.came_us = CLOCK_NEVER,
		.went_us = CLOCK_NEVER,
		.reactivated_us = CLOCK_NEVER,
	};
	for (size_t i = 0; i < ALARM_CHATTER_COUNT; i++)
		course->comes[i] = CLOCK_NEVER;
}

/* --- order and indexes ---------------------------------------------------- */

static int
compare_targets(const void *left, const void *right)
{
	const struct alarm_target *a = left;
	const struct alarm_target *b = right;

	if (a->variable_id != b->variable_id)
		return a->variable_id < b->variable_id ? -1 : 1;
	return strcmp(a->limit->name, b->limit->name);
}

static int
compare_names(const char *variable, const char *limit,
	const struct alarm_limit *other)
{
	int order = strcmp(variable, other->variable);

	return order != 0 ? order : strcmp(limit, other->name);
}

size_t
alarm_rule_find(const struct alarm_engine *engine, const char *variable,
	const char *limit)
{
	size_t low = 0;
	size_t high = engine->count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		size_t index = engine->by_name[middle];
		int order = compare_names(
			variable, limit, &engine->courses[index].limit);

		if (order == 0)
			return index;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SIZE_MAX;
}

/* qsort has no context, so the pointers are sorted, not the indexes. */
static int
compare_courses(const void *left, const void *right)
{
	const struct alarm_course *a =
		*(const struct alarm_course *const *)left;

	return compare_names(a->limit.variable, a->limit.name,
		&(*(const struct alarm_course *const *)right)->limit);
}

static void
index_names(struct alarm_engine *engine)
{
	const struct alarm_course **sorted =
		new_array(engine->count, sizeof(struct alarm_course *));

	for (size_t i = 0; i < engine->count; i++)
		sorted[i] = &engine->courses[i];
	if (engine->count > 0)
		qsort(sorted, engine->count, sizeof(*sorted), compare_courses);
	engine->by_name = new_array(engine->count, sizeof(*engine->by_name));
	for (size_t i = 0; i < engine->count; i++)
		engine->by_name[i] = (uint32_t)(sorted[i] - engine->courses);
	free(sorted);
}

static void
index_variables(struct alarm_engine *engine)
{
	for (size_t i = 0; i < engine->count; i++) {
		const struct alarm_course *course = &engine->courses[i];
		struct alarm_slot *slot = &engine->slots[course->variable_id];

		if (slot->count++ == 0)
			slot->first = (uint32_t)i;
		slot->kind = course->kind;
		if (course->suppressor_id > 0)
			engine->slots[course->suppressor_id].gate_count++;
	}
}

static void
index_gates(struct alarm_engine *engine)
{
	uint32_t first = 0;

	engine->gates = new_array(engine->count, sizeof(*engine->gates));
	for (int32_t id = 0; id <= engine->id_max; id++) {
		engine->slots[id].first_gate = first;
		first += engine->slots[id].gate_count;
		engine->slots[id].gate_count = 0;
	}
	for (size_t i = 0; i < engine->count; i++) {
		int32_t id = engine->courses[i].suppressor_id;
		struct alarm_slot *slot = &engine->slots[id > 0 ? id : 0];

		if (id > 0)
			engine->gates[slot->first_gate + slot->gate_count++] =
				(uint32_t)i;
	}
}

/* --- carrying over -------------------------------------------------------- */

static void
move_state(struct alarm_engine *engine, size_t index,
	struct alarm_engine *before, size_t old)
{
	struct alarm_rule *rule = &engine->rules[index];
	struct alarm_rule *was = &before->rules[old];
	struct alarm_course *course = &engine->courses[index];
	struct alarm_course *source = &before->courses[old];

	rule->begin_us = was->begin_us;
	rule->due_us = was->due_us;
	rule->phase = was->phase;
	rule->uncertain = was->uncertain;
	rule->loaded = was->loaded;
	rule->suppressed = was->suppressed && course->suppressor_id > 0 &&
			   strcmp(course->limit.suppressed_by,
				   source->limit.suppressed_by) == 0;
	memcpy(course->id, source->id, sizeof(course->id));
	course->came_us = source->came_us;
	course->went_us = source->went_us;
	course->reactivated_us = source->reactivated_us;
	course->reactivations = source->reactivations;
	course->chattering = source->chattering;
	course->status = source->status;
	course->value = source->value;
	memcpy(course->comes, source->comes, sizeof(course->comes));
	course->last = source->last;
	course->last_status = source->last_status;
	source->value = source->last = (struct alarm_held){0};
	was->phase = PHASE_NORMAL;
}

static void
carry_over(struct alarm_engine *engine, struct alarm_engine *before,
	int64_t now_us)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct alarm_limit *limit = &before->courses[i].limit;
		size_t index =
			alarm_rule_find(engine, limit->variable, limit->name);

		if (index != SIZE_MAX)
			move_state(engine, index, before, i);
		else if (alarm_is_on(&before->rules[i]))
			alarm_go(before, i, now_us);
	}
}

static size_t
copy_enabled(const struct alarm_target *targets, size_t count,
	struct alarm_target *enabled)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (targets[i].limit->enabled)
			enabled[kept++] = targets[i];
	if (kept > 0)
		qsort(enabled, kept, sizeof(*enabled), compare_targets);
	return kept;
}

static void
build(struct alarm_engine *engine, const struct alarm_target *targets,
	size_t count)
{
	engine->definitions = arena_new();
	engine->count = count;
	engine->rules = new_array(count, sizeof(*engine->rules));
	engine->courses = new_array(count, sizeof(*engine->courses));
	engine->id_max = 0;
	for (size_t i = 0; i < count; i++) {
		make_rule(engine, i, &targets[i]);
		if (targets[i].variable_id > engine->id_max)
			engine->id_max = targets[i].variable_id;
		if (targets[i].suppressor_id > engine->id_max)
			engine->id_max = targets[i].suppressor_id;
	}
	engine->slots =
		new_array((size_t)engine->id_max + 1, sizeof(*engine->slots));
	index_names(engine);
	index_variables(engine);
	index_gates(engine);
}

static void
forget(struct alarm_engine *before)
{
	forget_courses(before->courses, before->count);
	free(before->rules);
	free(before->slots);
	free(before->gates);
	free(before->by_name);
	arena_free(before->definitions);
}

void
alarm_engine_set(struct alarm_engine *engine,
	const struct alarm_target *targets, size_t count, int64_t now_us)
{
	struct alarm_target *enabled = new_array(count, sizeof(*enabled));
	struct alarm_engine before = *engine;

	count = copy_enabled(targets, count, enabled);
	build(engine, enabled, count);
	carry_over(engine, &before, now_us);
	/* An alarm that went just now is told by who comes after. */
	engine->changes = before.changes;
	engine->variables = before.variables;
	engine->change_count = before.change_count;
	engine->change_room = before.change_room;
	engine->version = before.version + 1;
	forget(&before);
	free(enabled);
}

struct alarm_engine *
alarm_engine_new(void)
{
	struct alarm_engine *engine = new_array(1, sizeof(*engine));

	build(engine, NULL, 0);
	engine->words = arena_new();
	engine->next_due_us = INT64_MAX;
	engine->latest_us = CLOCK_NEVER;
	return engine;
}

void
alarm_engine_free(struct alarm_engine *engine)
{
	if (engine == NULL)
		return;
	forget(engine);
	free(engine->changes);
	free(engine->variables);
	arena_free(engine->words);
	free(engine);
}
