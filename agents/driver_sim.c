/* driver_sim: values of a simulated plant. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "agents/driver.h"
#include "agents/plant_clock.h"
#include "agents/sim.h"
#include "lib/clock.h"

struct sim_options {
	const char *model;
	int64_t seed;
	const char *latitude;
	const char *longitude;
};

#define OPTION(field) offsetof(struct sim_options, field)

static const struct conf_entry sim_conf[] = {
	{"sim", "model", CONF_TEXT, OPTION(model), "solar", 0, 0,
		"plant to simulate: solar or wind"},
	{"sim", "seed", CONF_INT, OPTION(seed), "1", 0, INT64_MAX,
		"number that all chance comes from"},
	{"sim", "latitude", CONF_TEXT, OPTION(latitude), "48.2", 0, 0,
		"degrees, north is positive"},
	{"sim", "longitude", CONF_TEXT, OPTION(longitude), "16.4", 0, 0,
		"degrees, east is positive"},
	CONF_END,
};

static const struct sim_model *const models[] = {&sim_solar, &sim_wind};

struct sim {
	const struct sim_model *model;
	void *state;
	const struct input_list *list;
	size_t *signals; /* of each input: index into values */
	struct value *values;
};

static enum rc
take_degrees(const char *key, const char *text, double limit, double *degrees,
	struct fault *fault)
{
	char *end;

	*degrees = strtod(text, &end);
	if (end == text || *end != '\0' || *degrees < -limit ||
		*degrees > limit)
		return fault_set(fault, RC_BAD_INPUT,
			"[sim] %s = %s: must be a number from -%g to %g", key,
			text, limit, limit);
	return RC_OK;
}

static enum rc
find_model(
	const char *name, const struct sim_model **model, struct fault *fault)
{
	for (size_t i = 0; i < ARRAY_LENGTH(models); i++)
		if (strcmp(models[i]->name, name) == 0) {
			*model = models[i];
			return RC_OK;
		}
	return fault_set(fault, RC_BAD_INPUT,
		"[sim] model = %s: must be solar or wind", name);
}

static bool
find_signal(const struct sim_signal *signals, size_t count, const char *name,
	size_t *index)
{
	for (*index = 0; *index < count; (*index)++)
		if (strcmp(signals[*index].name, name) == 0)
			return true;
	return false;
}

/* "prefix07/name" to the index of that unit's signal. */
static bool
find_unit_signal(
	const struct sim_model *model, const char *address, size_t *index)
{
	size_t prefix = strlen(model->unit_prefix);
	char *end;
	long unit;

	if (strncmp(address, model->unit_prefix, prefix) != 0)
		return false;
	unit = strtol(address + prefix, &end, 10);
	if (unit < 1 || unit > model->units || end != address + prefix + 2 ||
		*end != '/')
		return false;
	if (!find_signal(model->unit, model->unit_count, end + 1, index))
		return false;
	*index += model->site_count + (size_t)(unit - 1) * model->unit_count;
	return true;
}

static bool
find_address(const struct sim_model *model, const char *address, size_t *index)
{
	size_t prefix = strlen(model->site_prefix);

	if (strncmp(address, model->site_prefix, prefix) == 0 &&
		address[prefix] == '/')
		return find_signal(model->site, model->site_count,
			address + prefix + 1, index);
	return find_unit_signal(model, address, index);
}

static enum value_kind
signal_kind(const struct sim_model *model, size_t index)
{
	if (index < model->site_count)
		return model->site[index].kind;
	return model->unit[(index - model->site_count) % model->unit_count]
		.kind;
}

static enum rc
bind_inputs(struct sim *sim, struct fault *fault)
{
	for (size_t i = 0; i < sim->list->count; i++) {
		const struct input *input = &sim->list->items[i];
		enum value_kind kind;

		if (!find_address(sim->model, input->address, &sim->signals[i]))
			return input_fault(sim->list, input, fault,
				"the %s model has no \"%.80s\"",
				sim->model->name, input->address);
		kind = signal_kind(sim->model, sim->signals[i]);
		if ((kind == VALUE_STRING) != (input->kind == VALUE_STRING))
			return input_fault(sim->list, input, fault,
				"\"%.80s\" is %sa string", input->address,
				kind == VALUE_STRING ? "" : "not ");
	}
	return RC_OK;
}

static enum rc
sim_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	const struct sim_options *options = setup->options;
	struct sim *sim = arena_alloc(setup->arena, sizeof(*sim));
	struct sim_place place = {.seed = (uint64_t)options->seed};
	enum rc rc = find_model(options->model, &sim->model, fault);

	if (rc == RC_OK)
		rc = take_degrees("latitude", options->latitude, 89,
			&place.latitude, fault);
	if (rc == RC_OK)
		rc = take_degrees("longitude", options->longitude, 180,
			&place.longitude, fault);
	if (rc != RC_OK)
		return rc;
	sim->list = setup->list;
	sim->signals = arena_array(
		setup->arena, setup->list->count, sizeof(*sim->signals));
	sim->values = arena_array(setup->arena,
		sim->model->site_count +
			(size_t)sim->model->units * sim->model->unit_count,
		sizeof(*sim->values));
	sim->state = sim->model->open(setup->arena, &place);
	*state = sim;
	return bind_inputs(sim, fault);
}

/* As an instrument shows it: to the input's decimals, not to 17 digits. */
static struct value
show(const struct input *input, const struct value *exact)
{
	struct value value = *exact;
	double unit = pow(10, input->decimals);

	if (value.kind == VALUE_FLOAT)
		value.number = round(value.number * unit) / unit;
	return value;
}

static enum rc
sim_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct sim *sim = state;

	(void)fault;
	sim->model->compute(sim->state, due_us, sim->values);
	for (size_t i = 0; i < sim->list->count; i++) {
		struct value value = show(
			&sim->list->items[i], &sim->values[sim->signals[i]]);

		sink->put(sink, i, due_us, 0, &value);
	}
	*next_us = DRIVER_NEXT_PERIOD;
	return RC_OK;
}

/* The set point shows at once, what follows it with the next polls. */
static enum rc
sim_write(void *state, const struct driver_write *write, struct sink *sink,
	struct fault *fault)
{
	struct sim *sim = state;
	int64_t now_us = plant_clock_us();

	if (sim->model->set == NULL ||
		!sim->model->set(sim->state, sim->signals[write->index],
			write->raw, now_us))
		return fault_set(fault, RC_DENIED, "%s cannot be written",
			sim->list->items[write->index].address);
	sink->put(sink, write->index, now_us, 0, write->raw);
	sink->written(sink, write->token, RC_OK, write->raw, NULL);
	return RC_OK;
}

static void
sim_close(void *state)
{
	(void)state; /* all of it is in the arena */
}

const struct driver driver_sim = {
	.name = "sim",
	.conf = sim_conf,
	.conf_bytes = sizeof(struct sim_options),
	.open = sim_open,
	.poll = sim_poll,
	.write = sim_write,
	.close = sim_close,
};
