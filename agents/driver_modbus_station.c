/* driver_modbus_station: one device is read, lost, and found again. */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agents/driver_modbus.h"
#include "agents/plant_clock.h"
#include "lib/clock.h"
#include "lib/log.h"

#define AGAIN_US       50000           /* before a busy device is read again */
#define FIRST_PAUSE_US CLOCK_SECOND_US /* doubled with each failure */

/* --- plan ---------------------------------------------------------------- */

void
modbus_station_plan(struct modbus_station *station)
{
	struct modbus_limits limits = modbus_device_limits(station->device);
	struct modbus_block *blocks =
		calloc(station->item_count, sizeof(*blocks));
	size_t offset = 0;

	if (blocks == NULL)
		abort();
	station->reading_count = modbus_plan(
		station->items, station->item_count, &limits, blocks);
	for (size_t i = 0; i < station->reading_count; i++) {
		station->readings[i] = (struct modbus_reading){
			.block = blocks[i], .offset = offset};
		offset += blocks[i].count;
	}
	free(blocks);
}

/* Read the two halves apart from now on; false when it cannot be cut. */
static bool
cut(struct modbus_station *station, size_t index)
{
	struct modbus_reading *reading = &station->readings[index];
	struct modbus_reading rest = *reading;

	if (!modbus_plan_cut(station->items, &reading->block, &rest.block))
		return false;
	rest.offset += rest.block.start - reading->block.start;
	memmove(reading + 2, reading + 1,
		(station->reading_count - index - 1) * sizeof(*reading));
	reading[1] = rest;
	station->reading_count++;
	return true;
}

/* --- what the sampler sees ----------------------------------------------- */

static void
publish(struct modbus_station *station, size_t index, const uint16_t *registers)
{
	struct modbus_reading *reading = &station->readings[index];

	pthread_mutex_lock(&station->link->lock);
	memcpy(&station->image[reading->offset], registers,
		reading->block.count * sizeof(*registers));
	reading->time_us = plant_clock_us();
	reading->news = MODBUS_GOOD;
	reading->told_refusal = false;
	reading->silent = 0;
	pthread_mutex_unlock(&station->link->lock);
}

static void
publish_failure(struct modbus_station *station, size_t index)
{
	pthread_mutex_lock(&station->link->lock);
	station->readings[index].time_us = plant_clock_us();
	station->readings[index].news = MODBUS_BAD;
	pthread_mutex_unlock(&station->link->lock);
}

/* --- a device is lost and found ------------------------------------------ */

static void
back_off(struct modbus_station *station)
{
	int64_t longest_us = station->device->back_off_s * CLOCK_SECOND_US;
	int64_t pause_us = FIRST_PAUSE_US;

	for (int i = 0; i < station->failures && pause_us < longest_us; i++)
		pause_us *= 2;
	if (pause_us > longest_us)
		pause_us = longest_us;
	station->failures++;
	station->not_before_us = clock_steady_us() + pause_us;
}

static void
lose(struct modbus_station *station, const char *why)
{
	pthread_mutex_lock(&station->link->lock);
	for (size_t i = 0; i < station->reading_count; i++) {
		station->readings[i].time_us = plant_clock_us();
		station->readings[i].news = MODBUS_BAD;
	}
	station->off = true;
	pthread_mutex_unlock(&station->link->lock);
	if (station->failures == 0) {
		station->lost_us = clock_steady_us();
		notices_add(station->link->setup->notices, "device.lost",
			"%s (%s, unit %" PRId64 ") is off: %s",
			station->device->name, station->device->connection,
			station->device->unit, why);
	}
	back_off(station);
}

/* Its registers may be others than before: forget what was cut. */
static void
find_again(struct modbus_station *station)
{
	double seconds = (double)(clock_steady_us() - station->lost_us) /
			 (double)CLOCK_SECOND_US;

	pthread_mutex_lock(&station->link->lock);
	station->off = false;
	modbus_station_plan(station);
	pthread_mutex_unlock(&station->link->lock);
	station->failures = 0;
	/* What kept it away may have kept its neighbours away, too. */
	for (size_t i = 0; i < station->link->station_count; i++)
		station->link->stations[i]->not_before_us = 0;
	notices_add(station->link->setup->notices, "device.back",
		"%s (%s, unit %" PRId64 ") is back after %.0f s",
		station->device->name, station->device->connection,
		station->device->unit, seconds);
}

/* --- reading ------------------------------------------------------------- */

static bool
is_there(enum modbus_outcome outcome)
{
	return outcome != MODBUS_SILENT && outcome != MODBUS_ABSENT &&
	       outcome != MODBUS_UNLINKED;
}

static bool
is_worth_another(enum modbus_outcome outcome)
{
	return outcome == MODBUS_BUSY || outcome == MODBUS_WORKING ||
	       outcome == MODBUS_FAILED || outcome == MODBUS_SILENT;
}

/* A device that was off gets one try, so that others wait less for it. */
static enum modbus_outcome
read_block(struct modbus_station *station, const struct modbus_block *block,
	uint16_t *registers)
{
	struct modbus_line *line = station->link->line;
	int64_t tries =
		station->failures > 0 ? 1 : station->device->retries + 1;
	enum modbus_outcome outcome = MODBUS_UNLINKED;

	for (int64_t i = 0;
		i < tries && !modbus_link_is_stopping(station->link); i++) {
		outcome = modbus_line_read(line, station->device, block->table,
			block->start, block->count, registers);
		if (!is_worth_another(outcome))
			break;
		if (outcome != MODBUS_SILENT && i + 1 < tries)
			usleep(AGAIN_US);
	}
	return outcome;
}

static void
tell_refusal(struct modbus_station *station, struct modbus_reading *reading)
{
	const struct modbus_block *block = &reading->block;
	uint32_t first = block->start + (uint32_t)station->device->first;

	if (!reading->told_refusal)
		log_warn(NULL, "%s: %s %u to %u cannot be read: %s",
			station->device->name, modbus_table_name(block->table),
			first, first + block->count - 1U,
			modbus_line_why(station->link->line));
	reading->told_refusal = true;
}

/* The device is there but does not give the block. */
static void
take_refusal(struct modbus_station *station, size_t index, bool by_address)
{
	bool smaller = false;

	if (by_address) {
		pthread_mutex_lock(&station->link->lock);
		smaller = cut(station, index);
		pthread_mutex_unlock(&station->link->lock);
	}
	if (smaller)
		return;
	tell_refusal(station, &station->readings[index]);
	publish_failure(station, index);
}

/* Some devices do not answer at all when they lack a register. Whether this
 * one answers for what it has given before. */
static bool
is_alive(struct modbus_station *station, const struct modbus_block *silent)
{
	const struct modbus_address *address;
	uint16_t registers[MODBUS_VALUE_REGISTERS_MAX];

	if (!station->has_witness || station->failures > 0 ||
		station->witness - silent->first_item < silent->item_count)
		return false;
	address = &station->items[station->witness].address;
	return is_there(modbus_line_read(station->link->line, station->device,
		address->table, (uint16_t)address->number, address->count,
		registers));
}

/* Once may be chance; then its parts are tried, and what remains is left alone
 * for a while, as each try costs a time-out. */
static void
take_silence(struct modbus_station *station, size_t index)
{
	struct modbus_reading *reading = &station->readings[index];
	bool smaller = false;

	publish_failure(station, index);
	tell_refusal(station, reading);
	if (++reading->silent < 2)
		return;
	pthread_mutex_lock(&station->link->lock);
	smaller = cut(station, index);
	pthread_mutex_unlock(&station->link->lock);
	if (smaller)
		reading[0].silent = reading[1].silent = 1;
	else
		reading->not_before_us =
			clock_steady_us() +
			station->device->back_off_s * CLOCK_SECOND_US;
}

/* Read the block at *index and move on. The outcome tells whether it is there
 * at all. */
static enum modbus_outcome
read_next(struct modbus_station *station, size_t *index)
{
	uint16_t registers[MODBUS_READ_BITS_MAX];
	size_t before = station->reading_count;
	const struct modbus_block *block = &station->readings[*index].block;
	enum modbus_outcome outcome = read_block(station, block, registers);

	if (outcome == MODBUS_SILENT && is_alive(station, block)) {
		take_silence(station, *index);
		*index += station->reading_count - before + 1;
		return MODBUS_DONE;
	}
	if (!is_there(outcome))
		return outcome;
	if (outcome == MODBUS_DONE) {
		station->has_witness = true;
		station->witness = block->first_item;
	}
	if (station->failures > 0) {
		find_again(station);
		*index = 0; /* once more, with the new plan */
		return outcome;
	}
	if (outcome == MODBUS_DONE)
		publish(station, *index, registers);
	else
		take_refusal(station, *index, outcome == MODBUS_REFUSED);
	if (station->reading_count == before) /* else the first half is next */
		(*index)++;
	return outcome;
}

static bool
is_left_alone(const struct modbus_reading *reading)
{
	return reading->not_before_us != 0 &&
	       reading->not_before_us > clock_steady_us();
}

void
modbus_station_read(struct modbus_station *station)
{
	struct modbus_link *link = station->link;
	enum modbus_outcome outcome = MODBUS_DONE;
	const char *why = modbus_line_why(link->line);
	/* One that is off is asked for something else each time: the first
	 * block may be what it never answers. */
	size_t index = (size_t)station->failures % station->reading_count;

	while (is_there(outcome) && index < station->reading_count) {
		if (is_left_alone(&station->readings[index])) {
			index++;
			continue;
		}
		outcome = read_next(station, &index);
		modbus_link_run_jobs(link);
		if (modbus_link_is_stopping(link))
			return;
	}
	if (outcome == MODBUS_UNLINKED)
		for (size_t i = 0; i < link->station_count; i++)
			lose(link->stations[i], why);
	else if (!is_there(outcome))
		lose(station, why);
	modbus_link_wake(link);
}
