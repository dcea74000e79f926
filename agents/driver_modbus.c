/* driver_modbus: coils and registers of Modbus devices, TCP and serial. */

#include "agents/driver_modbus.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"

struct modbus_options {
	const char *devices;
};

#define OPTION(field) offsetof(struct modbus_options, field)

static const struct conf_entry modbus_conf[] = {
	{"modbus", "devices", CONF_PATH, OPTION(devices), "", 0, 0,
		"CSV file of the devices, see doc/AGENT.md"},
	CONF_END,
};

/* Where an input is. */
struct place {
	struct modbus_station *station;
	const struct modbus_item *item;
	bool known; /* the sampler has a value of it */
};

struct modbus {
	struct driver_setup setup;
	struct modbus_devices devices;
	struct modbus_station *stations; /* as the devices */
	struct modbus_link *links;
	size_t link_count;
	struct place *places; /* as the inputs */
	bool started;
};

/* --- addresses ----------------------------------------------------------- */

/* Whether the device can give and take what the input wants. */
static enum rc
check_address(const struct input *input, const struct modbus_device *device,
	const struct modbus_address *address, struct fault *fault)
{
	int64_t most = modbus_is_bits(address->table) ? device->max_bits
						      : device->max_registers;

	if ((input->kind == VALUE_STRING) != (address->type == MODBUS_TEXT))
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.60s\": a %s is no %s", input->address,
			address->type == MODBUS_TEXT ? "text" : "number",
			input_type(input));
	if (address->count > most)
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.60s\": has more than the %d registers that may be "
			"read at once",
			input->address, (int)most);
	if (strcmp(input->access, "read_write") == 0 &&
		!modbus_can_write(address->table))
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.60s\": of this table nothing can be written; make "
			"its access read",
			input->address);
	return RC_OK;
}

static enum rc
parse_input(struct modbus *modbus, size_t index, struct modbus_item *item,
	struct modbus_station **station, struct fault *fault)
{
	const struct input *input = &modbus->setup.list->items[index];
	const struct modbus_device *device;
	enum rc rc =
		modbus_address_parse(input->address, &item->address, fault);

	item->input = index;
	if (rc != RC_OK)
		return rc;
	device = modbus_device_find(&modbus->devices, item->address.device);
	if (device == NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"\"%.60s\": there is no device \"%.40s\" in %.80s",
			input->address, item->address.device,
			((const struct modbus_options *)modbus->setup.options)
				->devices);
	*station = &modbus->stations[device - modbus->devices.items];
	rc = modbus_address_place(&item->address, (uint32_t)device->first,
		modbus_orders[device->order], fault);
	return rc == RC_OK ? check_address(input, device, &item->address, fault)
			   : rc;
}

/* First count the items of each station, then give them their place. */
static enum rc
parse_inputs(struct modbus *modbus, struct modbus_item *items,
	struct modbus_station **owners, struct fault *fault)
{
	for (size_t i = 0; i < modbus->setup.list->count; i++) {
		struct fault why = {0};
		enum rc rc =
			parse_input(modbus, i, &items[i], &owners[i], &why);

		if (rc != RC_OK) {
			input_fault(modbus->setup.list,
				&modbus->setup.list->items[i], fault,
				"address %s", why.text);
			return rc;
		}
		owners[i]->item_count++;
	}
	return RC_OK;
}

static void
share_out(struct modbus *modbus, const struct modbus_item *items,
	struct modbus_station *const *owners)
{
	struct arena *arena = modbus->setup.arena;

	for (size_t i = 0; i < modbus->devices.count; i++) {
		struct modbus_station *station = &modbus->stations[i];

		station->items = arena_array(
			arena, station->item_count, sizeof(*station->items));
		station->item_count = 0;
	}
	for (size_t i = 0; i < modbus->setup.list->count; i++)
		owners[i]->items[owners[i]->item_count++] = items[i];
}

/* --- stations and links -------------------------------------------------- */

static void
prepare_station(struct modbus *modbus, struct modbus_station *station)
{
	struct arena *arena = modbus->setup.arena;
	size_t registers = 0;

	modbus_plan_sort(station->items, station->item_count);
	for (size_t i = 0; i < station->item_count; i++)
		modbus->places[station->items[i].input] = (struct place){
			.station = station, .item = &station->items[i]};
	station->readings = arena_array(
		arena, station->item_count, sizeof(*station->readings));
	modbus_station_plan(station);
	for (size_t i = 0; i < station->reading_count; i++)
		registers += station->readings[i].block.count;
	station->image = arena_array(arena, registers, sizeof(*station->image));
	station->period_us = station->device->period_ms > 0
				     ? station->device->period_ms * 1000
				     : modbus->setup.period_us;
}

/* Many devices take one connection only, however it is written. */
static bool
is_same(const struct modbus_device *left, const struct modbus_device *right)
{
	if (left->host == NULL || right->host == NULL)
		return strcmp(left->connection, right->connection) == 0;
	return strcasecmp(left->host, right->host) == 0 &&
	       strcmp(left->port, right->port) == 0;
}

static struct modbus_link *
find_link(struct modbus *modbus, const struct modbus_device *device)
{
	struct modbus_link *link = modbus->links;

	while (link < modbus->links + modbus->link_count &&
		!is_same(link->device, device))
		link++;
	if (link < modbus->links + modbus->link_count)
		return link;
	modbus->link_count++;
	link->device = device;
	link->setup = &modbus->setup;
	link->stations = arena_array(modbus->setup.arena, modbus->devices.count,
		sizeof(struct modbus_station *));
	return link;
}

/* A device that no variable is of is left alone. */
static void
prepare_links(struct modbus *modbus)
{
	modbus->links = arena_array(modbus->setup.arena, modbus->devices.count,
		sizeof(*modbus->links));
	for (size_t i = 0; i < modbus->devices.count; i++) {
		struct modbus_station *station = &modbus->stations[i];

		if (station->item_count == 0)
			continue;
		prepare_station(modbus, station);
		station->link = find_link(modbus, station->device);
		station->link->stations[station->link->station_count++] =
			station;
	}
}

static enum rc
bind_inputs(struct modbus *modbus, struct fault *fault)
{
	size_t count = modbus->setup.list->count;
	struct modbus_item *items = calloc(count, sizeof(*items));
	struct modbus_station **owners =
		calloc(count, sizeof(struct modbus_station *));
	enum rc rc;

	if (items == NULL || owners == NULL)
		abort();
	rc = parse_inputs(modbus, items, owners, fault);
	if (rc == RC_OK) {
		share_out(modbus, items, owners);
		prepare_links(modbus);
	}
	free(items);
	free(owners);
	return rc;
}

static enum rc
modbus_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	const struct modbus_options *options = setup->options;
	struct modbus *modbus = arena_alloc(setup->arena, sizeof(*modbus));
	enum rc rc;

	modbus->setup = *setup;
	*state = modbus;
	if (options->devices[0] == '\0')
		return fault_set(fault, RC_BAD_INPUT,
			"key \"devices\" is missing in section [modbus]");
	rc = modbus_devices_load(
		setup->arena, options->devices, &modbus->devices, fault);
	if (rc != RC_OK)
		return rc;
	modbus->places = arena_array(
		setup->arena, setup->list->count, sizeof(*modbus->places));
	modbus->stations = arena_array(
		setup->arena, modbus->devices.count, sizeof(*modbus->stations));
	for (size_t i = 0; i < modbus->devices.count; i++)
		modbus->stations[i].device = &modbus->devices.items[i];
	return bind_inputs(modbus, fault);
}

/* Not in open: a check of the configuration talks to no device. */
static enum rc
start(struct modbus *modbus, struct fault *fault)
{
	enum rc rc = RC_OK;

	if (modbus->started)
		return RC_OK;
	for (size_t i = 0; rc == RC_OK && i < modbus->link_count; i++)
		if (!modbus->links[i].started)
			rc = modbus_link_start(&modbus->links[i], fault);
	modbus->started = rc == RC_OK;
	return rc;
}

/* --- poll ---------------------------------------------------------------- */

/* The last value is not valid any more; one that never was is 0. */
static void
put_invalid(
	struct modbus *modbus, size_t index, int64_t time_us, struct sink *sink)
{
	struct value none = {.kind = modbus->setup.list->items[index].kind};
	struct place *place = &modbus->places[index];

	if (none.kind == VALUE_STRING)
		none.string.data = "";
	sink->put(sink, index, time_us, STATUS_INVALID,
		place->known ? NULL : &none);
	place->known = true;
}

static void
put_value(struct modbus *modbus, const struct modbus_item *item,
	const uint16_t *registers, int64_t time_us, struct sink *sink)
{
	char text[MODBUS_TEXT_BYTES_MAX + 1];
	struct value value;

	if (!modbus_decode(&item->address, registers, &value, text)) {
		put_invalid(modbus, item->input, time_us, sink);
		return;
	}
	sink->put(sink, item->input, time_us, 0, &value);
	modbus->places[item->input].known = true;
}

static void
put_reading(struct modbus *modbus, const struct modbus_station *station,
	const struct modbus_reading *reading, struct sink *sink)
{
	const struct modbus_block *block = &reading->block;

	for (size_t i = 0; i < block->item_count; i++) {
		const struct modbus_item *item =
			&station->items[block->first_item + i];

		if (reading->news == MODBUS_BAD)
			put_invalid(
				modbus, item->input, reading->time_us, sink);
		else
			put_value(modbus, item,
				&station->image[reading->offset +
						item->address.number -
						block->start],
				reading->time_us, sink);
	}
}

static void
put_station(struct modbus *modbus, struct modbus_station *station,
	struct sink *sink)
{
	for (size_t i = 0; i < station->reading_count; i++) {
		struct modbus_reading *reading = &station->readings[i];

		if (reading->news != MODBUS_OLD)
			put_reading(modbus, station, reading, sink);
		reading->news = MODBUS_OLD;
	}
}

/* A reading that came after it was put already. */
static bool
is_overtaken(const struct modbus_job *job)
{
	const struct modbus_station *station = job->station;
	const struct modbus_item *item = job->item;

	for (size_t i = 0; i < station->reading_count; i++) {
		const struct modbus_reading *reading = &station->readings[i];
		size_t first = reading->block.first_item;

		if (item >= &station->items[first] &&
			item < &station->items[first +
					       reading->block.item_count])
			return reading->news == MODBUS_OLD &&
			       reading->time_us > job->found_us;
	}
	return false;
}

static void
tell_job(struct modbus *modbus, const struct modbus_job *job, struct sink *sink)
{
	char text[MODBUS_TEXT_BYTES_MAX + 1];
	struct value value;
	bool good = job->has_found && modbus_decode(&job->item->address,
					      job->found, &value, text);

	if (good && !is_overtaken(job))
		put_value(modbus, job->item, job->found, job->found_us, sink);
	sink->written(sink, job->token, job->rc, good ? &value : NULL,
		job->rc == RC_OK ? NULL : job->why);
}

static void
free_jobs(struct modbus_job *job)
{
	while (job != NULL) {
		struct modbus_job *next = job->next;

		free(job);
		job = next;
	}
}

static void
poll_link(struct modbus *modbus, struct modbus_link *link, struct sink *sink)
{
	struct modbus_job *done;

	pthread_mutex_lock(&link->lock);
	for (size_t i = 0; i < link->station_count; i++)
		put_station(modbus, link->stations[i], sink);
	done = link->done;
	link->done = NULL;
	for (const struct modbus_job *job = done; job != NULL; job = job->next)
		tell_job(modbus, job, sink);
	pthread_mutex_unlock(&link->lock);
	free_jobs(done);
}

static enum rc
modbus_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct modbus *modbus = state;
	enum rc rc = start(modbus, fault);

	(void)due_us;
	for (size_t i = 0; rc == RC_OK && i < modbus->link_count; i++)
		poll_link(modbus, &modbus->links[i], sink);
	*next_us = DRIVER_NEXT_PERIOD;
	return rc;
}

/* --- write --------------------------------------------------------------- */

static enum rc
append_job(struct modbus_job *job, struct fault *fault)
{
	struct modbus_link *link = job->station->link;
	struct modbus_job **place = &link->jobs;
	enum rc rc = RC_OK;

	pthread_mutex_lock(&link->lock);
	while (*place != NULL)
		place = &(*place)->next;
	if (job->station->off)
		rc = fault_set(fault, RC_UNAVAILABLE, "%s is off",
			job->station->device->name);
	else if (link->job_count == MODBUS_JOBS_MAX)
		rc = fault_set(fault, RC_TOO_MANY,
			"%d writes wait for %.80s already", MODBUS_JOBS_MAX,
			link->device->connection);
	if (rc == RC_OK) {
		link->job_count++;
		*place = job;
		pthread_cond_signal(&link->work);
	}
	pthread_mutex_unlock(&link->lock);
	return rc;
}

static enum rc
modbus_write(void *state, const struct driver_write *write, struct sink *sink,
	struct fault *fault)
{
	struct modbus *modbus = state;
	const struct place *place = &modbus->places[write->index];
	struct modbus_job *job;
	enum rc rc = start(modbus, fault);

	(void)sink;
	if (rc != RC_OK)
		return rc;
	job = calloc(1, sizeof(*job));
	if (job == NULL)
		abort();
	job->station = place->station;
	job->item = place->item;
	job->token = write->token;
	job->until_us = write->until_us;
	rc = modbus_encode(&job->item->address, write->raw, job->wanted, fault);
	if (rc == RC_OK)
		rc = append_job(job, fault);
	if (rc != RC_OK)
		free(job);
	return rc;
}

/* All are told to stop before the first is waited for. */
static void
modbus_stop(void *state)
{
	struct modbus *modbus = state;

	for (size_t i = 0; i < modbus->link_count; i++)
		modbus_link_end(&modbus->links[i]);
	for (size_t i = 0; i < modbus->link_count; i++) {
		modbus_link_join(&modbus->links[i]);
		free_jobs(modbus->links[i].jobs);
		free_jobs(modbus->links[i].done);
	}
}

const struct driver driver_modbus = {
	.name = "modbus",
	.conf = modbus_conf,
	.conf_bytes = sizeof(struct modbus_options),
	.open = modbus_open,
	.poll = modbus_poll,
	.write = modbus_write,
	.close = modbus_stop,
};
