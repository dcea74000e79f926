/*
 * driver_modbus: what the files of the Modbus driver share.
 *
 * Each connection, a TCP address or a serial line, has a link with a thread of
 * its own, which reads its devices in turn and writes in between. Results lie
 * in images, which the sampler's thread looks at when it is woken; so a poll
 * never waits for a device.
 */
#ifndef FG_AGENTS_DRIVER_MODBUS_H
#define FG_AGENTS_DRIVER_MODBUS_H

#include <pthread.h>

#include "agents/driver.h"
#include "agents/modbus_device.h"
#include "agents/modbus_value.h"

struct modbus_link;

enum modbus_news { MODBUS_OLD, MODBUS_GOOD, MODBUS_BAD };

/* One read request and its last answer. */
struct modbus_reading {
	struct modbus_block block;
	size_t offset; /* of block.start in the station's image */
	int64_t time_us;
	enum modbus_news news; /* since the sampler looked */
	/* The link's thread only. */
	bool told_refusal;     /* the log has it */
	int silent;            /* so often without an answer, in a row */
	int64_t not_before_us; /* steady clock; it is never answered */
};

/* One device. */
struct modbus_station {
	const struct modbus_device *device;
	struct modbus_link *link;
	int64_t period_us;
	struct modbus_item *items; /* sorted */
	size_t item_count;

	/* Under link->lock. */
	struct modbus_reading *readings; /* room for item_count */
	size_t reading_count;
	uint16_t *image; /* what the readings have brought */
	bool off;        /* it did not answer the last time */

	/* The link's thread only. */
	int64_t due_us;        /* wall clock */
	int64_t not_before_us; /* steady clock; while backing off */
	int64_t lost_us;       /* steady clock */
	int failures;          /* in a row */
	bool cannot_mask;      /* does not know function 22 */
	bool has_witness;
	size_t witness; /* an item that was read the last time */
};

/* A write under way. */
struct modbus_job {
	struct modbus_job *next;
	struct modbus_station *station;
	const struct modbus_item *item;
	uint64_t token;
	int64_t until_us; /* steady clock */
	uint16_t wanted[MODBUS_VALUE_REGISTERS_MAX];
	uint16_t found[MODBUS_VALUE_REGISTERS_MAX];
	bool has_found; /* the device was read after the write */
	int64_t found_us;
	enum rc rc;
	char why[160];
};

struct modbus_link {
	const struct modbus_device *device; /* its connection */
	struct modbus_station **stations;
	size_t station_count;
	const struct driver_setup *setup;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t work; /* steady clock */

	/* Under the lock. */
	struct modbus_job *jobs; /* oldest first */
	size_t job_count;
	struct modbus_job *done; /* oldest first */
	int socket;              /* -1: not connected */
	bool stopping;

	/* The thread only. */
	struct modbus_line *line;
};

#define MODBUS_JOBS_MAX 256

/* Run the thread of a link until modbus_link_end. Fails: RC_IO. */
MUST_CHECK enum rc modbus_link_start(
	struct modbus_link *link, struct fault *fault);
void modbus_link_end(struct modbus_link *link);
/* Wait for its end, at most a connection's or an answer's time-out. */
void modbus_link_join(struct modbus_link *link);

void modbus_link_wake(const struct modbus_link *link); /* the sampler */
bool modbus_link_is_stopping(struct modbus_link *link);
/* The writes that wait; by the link's thread. */
void modbus_link_run_jobs(struct modbus_link *link);

/* --- driver_modbus_station.c ------------------------------------------------
 */

/* Lay the station's readings out anew. Needs the link's lock. */
void modbus_station_plan(struct modbus_station *station);
/* Read all of it once, with writes in between; by the link's thread. */
void modbus_station_read(struct modbus_station *station);

/* --- driver_modbus_line.c: libmodbus ----------------------------------------
 */

/* How a request ended; the words are modbus_line_why's. */
enum modbus_outcome {
	MODBUS_DONE,
	MODBUS_REFUSED,  /* for this address or value: by an exception */
	MODBUS_UNKNOWN,  /* it does not know the function */
	MODBUS_BUSY,     /* may be asked again: by an exception */
	MODBUS_FAILED,   /* it had trouble of its own: by an exception */
	MODBUS_WORKING,  /* accepted, not done yet: by an exception */
	MODBUS_ABSENT,   /* a gateway cannot reach it */
	MODBUS_SILENT,   /* sent, but no or no valid answer */
	MODBUS_UNLINKED, /* no connection: nothing was sent */
};

struct modbus_line *modbus_line_new(struct modbus_link *link);
void modbus_line_free(struct modbus_line *line);
const char *modbus_line_why(const struct modbus_line *line);

/* Send nothing from that time of the steady clock on; 0 = no limit. */
void modbus_line_set_deadline(struct modbus_line *line, int64_t until_us);

/* Registers, or bits of 0 and 1. Blocks: at most the device's time-out. */
enum modbus_outcome modbus_line_read(struct modbus_line *line,
	const struct modbus_device *device, enum modbus_table table,
	uint16_t start, uint16_t count, uint16_t *registers);

enum modbus_outcome modbus_line_write(struct modbus_line *line,
	const struct modbus_device *device, enum modbus_table table,
	uint16_t start, uint16_t count, const uint16_t *registers);

/* Set the bits of "mask" to those of "bits" with function 22. */
enum modbus_outcome modbus_line_mask(struct modbus_line *line,
	const struct modbus_device *device, uint16_t number, uint16_t mask,
	uint16_t bits);

/* --- driver_modbus_job.c ----------------------------------------------------
 */

/* Carry the write out; job->rc and why have the result. */
void modbus_job_run(struct modbus_line *line, struct modbus_job *job);

#endif
