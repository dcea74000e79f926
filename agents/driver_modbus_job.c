/* driver_modbus_job: one write, and whether the device really has it. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agents/driver_modbus.h"
#include "agents/plant_clock.h"
#include "lib/clock.h"

#define AGAIN_US  50000 /* before a busy device is asked again */
#define LOOKS_MAX 5     /* how often the device is read back */

static void set_result(struct modbus_job *job, enum rc rc, const char *format,
	...) PRINTF_LIKE(3, 4);

static void
set_result(struct modbus_job *job, enum rc rc, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	job->rc = rc;
	vsnprintf(job->why, sizeof(job->why), format, args);
	va_end(args);
}

static enum modbus_outcome
read_item(struct modbus_line *line, struct modbus_job *job, uint16_t *registers)
{
	const struct modbus_address *address = &job->item->address;

	return modbus_line_read(line, job->station->device, address->table,
		(uint16_t)address->number, address->count, registers);
}

/* --- write --------------------------------------------------------------- */

static enum modbus_outcome
write_registers(struct modbus_line *line, struct modbus_job *job,
	const uint16_t *registers)
{
	const struct modbus_address *address = &job->item->address;

	return modbus_line_write(line, job->station->device, address->table,
		(uint16_t)address->number, address->count, registers);
}

/* Other bits of the register that change in between are written back old. */
static enum modbus_outcome
modify_bit(struct modbus_line *line, struct modbus_job *job, uint16_t mask)
{
	uint16_t all;
	enum modbus_outcome outcome = read_item(line, job, &all);

	if (outcome == MODBUS_SILENT) /* only the read was sent */
		return MODBUS_UNLINKED;
	if (outcome != MODBUS_DONE)
		return outcome;
	all = (uint16_t)((all & ~mask) | job->wanted[0]);
	return write_registers(line, job, &all);
}

static enum modbus_outcome
write_bit(struct modbus_line *line, struct modbus_job *job)
{
	struct modbus_station *station = job->station;
	uint16_t mask = (uint16_t)(1U << job->item->address.bit);
	int64_t manner = station->device->bit_write;
	enum modbus_outcome outcome;

	if (manner == MODBUS_BIT_MODIFY || station->cannot_mask)
		return modify_bit(line, job, mask);
	outcome = modbus_line_mask(line, station->device,
		(uint16_t)job->item->address.number, mask, job->wanted[0]);
	if (outcome != MODBUS_UNKNOWN || manner == MODBUS_BIT_MASK)
		return outcome;
	station->cannot_mask = true;
	return modify_bit(line, job, mask);
}

static enum modbus_outcome
write_item(struct modbus_line *line, struct modbus_job *job)
{
	const struct modbus_address *address = &job->item->address;

	if (address->type == MODBUS_BIT && address->table == MODBUS_HOLDING)
		return write_bit(line, job);
	return write_registers(line, job, job->wanted);
}

/* --- read back ----------------------------------------------------------- */

/* A device may take a moment to take over what it has acknowledged. One that
 * does not answer keeps the others of its line waiting: twice is enough. */
static bool
look(struct modbus_line *line, struct modbus_job *job)
{
	for (int i = 0, silent = 0; i < LOOKS_MAX && silent < 2; i++) {
		enum modbus_outcome outcome;

		if (i > 0)
			usleep(AGAIN_US);
		outcome = read_item(line, job, job->found);
		silent += outcome == MODBUS_SILENT ||
			  outcome == MODBUS_ABSENT ||
			  outcome == MODBUS_UNLINKED;
		job->has_found = outcome == MODBUS_DONE;
		job->found_us = plant_clock_us();
		if (job->has_found && modbus_same(&job->item->address,
					      job->found, job->wanted))
			return true;
	}
	return false;
}

static void
confirm(struct modbus_line *line, struct modbus_job *job)
{
	if (job->station->device->confirm_by_reply) {
		memcpy(job->found, job->wanted, sizeof(job->found));
		job->has_found = true;
		job->found_us = plant_clock_us();
		job->rc = RC_OK;
	} else if (look(line, job)) {
		job->rc = RC_OK;
	} else if (job->has_found) {
		set_result(job, RC_CONFLICT,
			"written, but the device has another value");
	} else {
		set_result(job, RC_IO,
			"written, but it cannot be read back: %s",
			modbus_line_why(line));
	}
}

/* The request may have been lost, or only its answer. Never sent again. */
static void
find_out(struct modbus_line *line, struct modbus_job *job)
{
	char why[96];

	snprintf(why, sizeof(why), "%s", modbus_line_why(line));
	if (!job->station->device->confirm_by_reply && look(line, job))
		job->rc = RC_OK;
	else
		set_result(job, RC_IO,
			"sent, but not confirmed by the device: %s", why);
}

/* Only a device that says it is busy is asked again: it did nothing. */
static enum modbus_outcome
write_patiently(struct modbus_line *line, struct modbus_job *job)
{
	enum modbus_outcome outcome = write_item(line, job);

	for (int64_t i = 0;
		outcome == MODBUS_BUSY && i < job->station->device->retries;
		i++) {
		usleep(AGAIN_US);
		outcome = write_item(line, job);
	}
	return outcome;
}

void
modbus_job_run(struct modbus_line *line, struct modbus_job *job)
{
	enum modbus_outcome outcome;

	modbus_line_set_deadline(line, job->until_us);
	outcome = write_patiently(line, job);
	modbus_line_set_deadline(line, 0);
	switch (outcome) {
	case MODBUS_DONE:
		confirm(line, job);
		break;
	case MODBUS_SILENT:
	case MODBUS_WORKING:
		find_out(line, job);
		break;
	case MODBUS_UNLINKED:
	case MODBUS_ABSENT:
		set_result(job, RC_UNAVAILABLE,
			"the device is out of reach: %s",
			modbus_line_why(line));
		break;
	default:
		set_result(job, RC_UPSTREAM, "the device refused: %s",
			modbus_line_why(line));
		break;
	}
}
