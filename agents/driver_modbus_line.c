/* driver_modbus_line: one connection of libmodbus, TCP or serial. */

#include <errno.h>
#include <modbus/modbus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agents/driver_modbus.h"
#include "lib/clock.h"

#define DATA_BITS 8
/* Silence between two frames: 3.5 characters of 11 bits. Source: Modbus over
 * Serial Line Specification V1.02, chapter 2.5.1.1. */
#define SILENCE_BITS   39
#define SILENCE_MIN_US 1750

struct modbus_line {
	struct modbus_link *link;
	modbus_t *context;
	bool open;
	int64_t quiet_us; /* steady clock: end of the last exchange */
	int64_t until_us; /* steady clock: send nothing later; 0 = no limit */
	char why[128];
};

struct modbus_line *
modbus_line_new(struct modbus_link *link)
{
	const struct modbus_device *device = link->device;
	static const char parities[] = {'N', 'E', 'O'};
	struct modbus_line *line = calloc(1, sizeof(*line));

	if (line == NULL)
		abort();
	line->link = link;
	line->context =
		device->host != NULL
			? modbus_new_tcp_pi(device->host, device->port)
			: modbus_new_rtu(device->connection, (int)device->baud,
				  parities[device->parity], DATA_BITS,
				  (int)device->stop_bits);
	if (line->context == NULL)
		snprintf(line->why, sizeof(line->why), "%s",
			modbus_strerror(errno));
	return line;
}

/* Others may shut the socket down, but only while it is ours. */
static void
tell_socket(struct modbus_line *line, int socket)
{
	pthread_mutex_lock(&line->link->lock);
	line->link->socket = socket;
	pthread_mutex_unlock(&line->link->lock);
}

static void
disconnect(struct modbus_line *line)
{
	if (!line->open)
		return;
	tell_socket(line, -1);
	modbus_close(line->context);
	line->open = false;
}

void
modbus_line_free(struct modbus_line *line)
{
	disconnect(line);
	if (line->context != NULL)
		modbus_free(line->context);
	free(line);
}

const char *
modbus_line_why(const struct modbus_line *line)
{
	return line->why;
}

void
modbus_line_set_deadline(struct modbus_line *line, int64_t until_us)
{
	line->until_us = until_us;
}

/* --- before a request ---------------------------------------------------- */

/* Closed by the device meanwhile, or with an answer that comes too late. */
static bool
is_stale(const struct modbus_line *line)
{
	char byte;

	return line->link->device->host != NULL &&
	       (recv(modbus_get_socket(line->context), &byte, 1,
			MSG_PEEK | MSG_DONTWAIT) >= 0 ||
		       (errno != EAGAIN && errno != EWOULDBLOCK));
}

static void
keep_silence(const struct modbus_line *line, const struct modbus_device *device)
{
	int64_t silence_us = device->pause_ms * 1000;
	int64_t wait_us;

	if (device->host == NULL) {
		int64_t frame_us =
			SILENCE_BITS * CLOCK_SECOND_US / device->baud;

		if (frame_us < SILENCE_MIN_US)
			frame_us = SILENCE_MIN_US;
		if (silence_us < frame_us)
			silence_us = frame_us;
	}
	wait_us = line->quiet_us + silence_us - clock_steady_us();
	if (line->quiet_us != 0 && wait_us > 0)
		usleep((useconds_t)wait_us);
}

/* Connected, and with this device's number and time-out. */
static bool
make_ready(struct modbus_line *line, const struct modbus_device *device)
{
	if (line->context == NULL)
		return false;
	if (line->open && is_stale(line))
		disconnect(line);
	modbus_set_response_timeout(line->context,
		(uint32_t)(device->timeout_ms / 1000),
		(uint32_t)(device->timeout_ms % 1000 * 1000));
	if (!line->open) {
		if (modbus_connect(line->context) != 0) {
			snprintf(line->why, sizeof(line->why), "%s",
				errno != 0 ? modbus_strerror(errno)
					   : "the name is not known");
			modbus_close(line->context);
			return false;
		}
		line->open = true;
		tell_socket(line, device->host != NULL
					  ? modbus_get_socket(line->context)
					  : -1);
	}
	modbus_set_slave(line->context, (int)device->unit);
	keep_silence(line, device);
	if (device->host == NULL) /* noise since the last answer */
		modbus_flush(line->context);
	if (line->until_us == 0 || clock_steady_us() < line->until_us)
		return true;
	snprintf(line->why, sizeof(line->why), "its time was over");
	return false;
}

/* --- after a request ----------------------------------------------------- */

static enum modbus_outcome
classify(int code)
{
	switch (code) {
	case EMBXILFUN:
		return MODBUS_UNKNOWN;
	case EMBXILADD:
	case EMBXILVAL:
		return MODBUS_REFUSED;
	case EMBXACK:
		return MODBUS_WORKING;
	case EMBXSBUSY:
		return MODBUS_BUSY;
	case EMBXSFAIL:
	case EMBXNACK:
	case EMBXMEMPAR:
		return MODBUS_FAILED;
	case EMBXGPATH:
	case EMBXGTAR:
		return MODBUS_ABSENT;
	default:
		return MODBUS_SILENT;
	}
}

/* What comes late must not be taken for the next answer. */
static void
recover(struct modbus_line *line, int code)
{
	if (line->link->device->host != NULL || code == EBADF || code == EIO ||
		code == ENODEV || code == ENXIO)
		disconnect(line);
	else
		modbus_flush(line->context);
}

static enum modbus_outcome
end_request(struct modbus_line *line, bool good)
{
	int code = errno;
	enum modbus_outcome outcome = good ? MODBUS_DONE : classify(code);

	line->quiet_us = clock_steady_us();
	if (good)
		return outcome;
	snprintf(line->why, sizeof(line->why), "%s",
		code == ETIMEDOUT ? "no answer" : modbus_strerror(code));
	if (outcome == MODBUS_SILENT)
		recover(line, code);
	return outcome;
}

/* --- requests ------------------------------------------------------------ */

static bool
read_bits(struct modbus_line *line, enum modbus_table table, uint16_t start,
	uint16_t count, uint16_t *registers)
{
	uint8_t bits[MODBUS_READ_BITS_MAX];
	int got = table == MODBUS_COIL
			  ? modbus_read_bits(line->context, start, count, bits)
			  : modbus_read_input_bits(
				    line->context, start, count, bits);

	for (int i = 0; i < got; i++)
		registers[i] = bits[i];
	return got == count;
}

enum modbus_outcome
modbus_line_read(struct modbus_line *line, const struct modbus_device *device,
	enum modbus_table table, uint16_t start, uint16_t count,
	uint16_t *registers)
{
	bool good;

	if (!make_ready(line, device))
		return MODBUS_UNLINKED;
	errno = 0;
	if (modbus_is_bits(table))
		good = read_bits(line, table, start, count, registers);
	else if (table == MODBUS_INPUT)
		good = modbus_read_input_registers(
			       line->context, start, count, registers) == count;
	else
		good = modbus_read_registers(
			       line->context, start, count, registers) == count;
	return end_request(line, good);
}

enum modbus_outcome
modbus_line_write(struct modbus_line *line, const struct modbus_device *device,
	enum modbus_table table, uint16_t start, uint16_t count,
	const uint16_t *registers)
{
	bool single = count == 1 && !device->always_multiple;
	uint8_t coil = registers[0] != 0;
	int written;

	if (!make_ready(line, device))
		return MODBUS_UNLINKED;
	errno = 0;
	if (table == MODBUS_COIL)
		written = single ? modbus_write_bit(line->context, start, coil)
				 : modbus_write_bits(
					   line->context, start, 1, &coil);
	else
		written = single ? modbus_write_register(
					   line->context, start, registers[0])
				 : modbus_write_registers(line->context, start,
					   count, registers);
	return end_request(line, written > 0);
}

enum modbus_outcome
modbus_line_mask(struct modbus_line *line, const struct modbus_device *device,
	uint16_t number, uint16_t mask, uint16_t bits)
{
	if (!make_ready(line, device))
		return MODBUS_UNLINKED;
	errno = 0;
	return end_request(
		line, modbus_mask_write_register(line->context, number,
			      (uint16_t)~mask, (uint16_t)(bits & mask)) >= 0);
}
