/*
 * driver: where an agent's raw values come from.
 *
 * A driver is one file agents/driver_<name>.c that defines one struct driver,
 * and one line in the table of agents/driver.c. It reads raw values; scaling,
 * range, dead band and status are the sampler's work.
 */
#ifndef FG_AGENTS_DRIVER_H
#define FG_AGENTS_DRIVER_H

#include "agents/input.h"
#include "lib/conf.h"

/* Takes one raw value of list->items[index]; text is copied. A NULL value
 * stands for the last one: the input cannot be read now. */
struct sink {
	void (*put)(struct sink *sink, size_t index, int64_t time_us,
		uint64_t status, const struct value *raw);
};

struct driver_setup {
	const struct input_list *list;
	const void *options; /* the struct that driver->conf fills */
	int64_t period_us;
	/* Where an earlier run stopped, INT64_MIN = there was none. */
	int64_t bookmark;
	struct arena *arena; /* lives as long as the driver is open */
};

/* When to poll again, beside a time. */
#define DRIVER_NEXT_PERIOD INT64_MIN /* at the next whole period */
#define DRIVER_FINISHED    INT64_MAX /* never: there is nothing more to read */

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
	 * say when to poll again. An input that cannot be read is put with
	 * STATUS_INVALID. Fails: RC_IO or RC_BAD_INPUT when nothing can be
	 * read any more; a driver that replays stops the agent by that.
	 * Blocks: for much less than the period.
	 */
	enum rc (*poll)(void *state, int64_t due_us, struct sink *sink,
		int64_t *next_us, struct fault *fault);

	/* Where to start next time, after what has been put. NULL: 0. */
	int64_t (*bookmark)(const void *state);
	void (*close)(void *state);
};

/* Every driver that is built in; NULL at the end. */
extern const struct driver *const drivers[];

/* NULL when there is no driver of that name. */
const struct driver *driver_find(const char *name);

#endif
