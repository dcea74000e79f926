/*
 * driver: where an agent's raw values come from.
 *
 * A driver is one file agents/driver_<name>.c that defines one struct driver,
 * and one line in the table of agents/driver.c. It reads and writes raw values;
 * scaling, range, dead band and status are the sampler's work. All functions
 * of a driver are called by the sampler's thread, one at a time. doc/DRIVERS.md
 * shows how to write one.
 */
#ifndef FG_AGENTS_DRIVER_H
#define FG_AGENTS_DRIVER_H

#include "agents/input.h"
#include "agents/notice.h"
#include "lib/conf.h"

/* What poll and write give their results to; only during these calls. */
struct sink {
	/* Take one raw value of list->items[index]; text is copied. A NULL
	 * value stands for the last one, which is INVALID then: the input
	 * cannot be read now. So is what the input's type cannot hold, and
	 * text that is not UTF-8. */
	void (*put)(struct sink *sink, size_t index, int64_t time_us,
		uint64_t status, const struct value *raw);

	/*
	 * Tell how the write of that token ended; once for each write that
	 * returned RC_OK. "raw" is what the device has now, NULL when that is
	 * not known; "why" is for people, NULL for RC_OK. "rc" is one of:
	 *   RC_OK          written, and confirmed as far as the device can
	 *   RC_UNAVAILABLE the device is out of reach or the time was over:
	 *                  nothing was written
	 *   RC_UPSTREAM    the device refused it: nothing was written
	 *   RC_CONFLICT    written, but the device has another value
	 *   RC_IO          nobody knows: sent, but not answered
	 */
	void (*written)(struct sink *sink, uint64_t token, enum rc rc,
		const struct value *raw, const char *why);

	/* Set by poll: someone waits for driver->stored, so the frame is
	 * closed right after the poll. */
	bool urgent;
};

/* A raw value that is to be written. */
struct driver_write {
	uint64_t token; /* names this write to sink->written */
	size_t index;
	const struct value *raw; /* of the input's kind; gone after the call */
	int64_t until_us;        /* steady clock: do not begin it later */
};

struct driver_setup {
	const struct input_list *list;
	const void *options; /* the struct that driver->conf fills */
	int64_t period_us;
	/* Where an earlier run stopped, INT64_MIN = there was none. */
	int64_t bookmark;
	struct arena *arena; /* lives as long as the driver is open */
	/* Makes the sampler poll at once. For threads of the driver, which
	 * must have ended when close returns. */
	void (*wake)(void *context);
	void *wake_context;
	struct notices *notices; /* events about the driver; for any thread */
};

/* When to poll again, beside a time. */
#define DRIVER_NEXT_PERIOD INT64_MIN /* at the next whole period */
#define DRIVER_FINISHED    INT64_MAX /* never: there is nothing more to read */

#define DRIVER_TEXT_BYTES 32 /* of a number */

struct driver {
	const char *name;
	/* The driver's own section of the configuration, or NULL. Offsets
	 * count in a struct of conf_bytes, which setup->options points to. */
	const struct conf_entry *conf;
	size_t conf_bytes;
	input_expand_fn *expand; /* NULL: no addresses with `*` */
	/*
	 * True when every value of the source counts, as in a file: then the
	 * sampler waits instead of skipping when it cannot go on, and a later
	 * run starts where the bookmark of the last stored frame points.
	 */
	bool replays;

	/*
	 * Check every address and be ready to poll. *state is the driver's.
	 * Fails: RC_BAD_INPUT for an address (input_fault), RC_IO.
	 */
	enum rc (*open)(const struct driver_setup *setup, void **state,
		struct fault *fault);

	/*
	 * Put what there is to read at "due_us" (wall clock) into "sink" and
	 * say when to poll again: *next_us is DRIVER_NEXT_PERIOD unless it is
	 * set, and a wake comes in between. An input that cannot
	 * be read is put with STATUS_INVALID. Fails: RC_IO or RC_BAD_INPUT when
	 * nothing can be read any more; a driver that replays stops the agent
	 * by that. Blocks: for much less than the period.
	 */
	enum rc (*poll)(void *state, int64_t due_us, struct sink *sink,
		int64_t *next_us, struct fault *fault);

	/*
	 * Write one value. RC_OK: it is taken, sink->written tells the result,
	 * before this returns or in a later poll; at the latest soon after
	 * until_us, as someone waits. Anything else: nothing was written and
	 * "fault" says why; RC_DENIED the address cannot be written,
	 * RC_UNPROCESSABLE the value does not fit, RC_UNAVAILABLE out of reach.
	 * Blocks: for much less than the period. NULL: the driver cannot write.
	 */
	enum rc (*write)(void *state, const struct driver_write *write,
		struct sink *sink, struct fault *fault);

	/*
	 * All that has been put is on the disk, or needed no sample. For
	 * sources that want to know when they may forget it. NULL: they do not.
	 */
	void (*stored)(void *state);

	/* Where to start next time, after what has been put. NULL: 0. */
	int64_t (*bookmark)(const void *state);
	void (*close)(void *state); /* NULL: all of it is in the arena */
};

/* Every driver that is built in; NULL at the end. */
extern const struct driver *const drivers[];

/* Tell how a write ended by what was read back at once: "now" is put as a
 * sample and compared; NULL: it could not be read, so nobody knows. */
void driver_read_back(struct sink *sink, const struct driver_write *write,
	const struct value *now);

/* A raw value as devices read text: a number with all of its digits, a bool as
 * 1 or 0. Text is its own; else it is written into "room". */
const char *driver_text(const struct value *raw, char room[DRIVER_TEXT_BYTES]);

/* NULL when there is no driver of that name. */
const struct driver *driver_find(const char *name);

#endif
