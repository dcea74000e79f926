/*
 * sampler: from the driver's raw values to frames in the spool.
 *
 * Scales, checks the range, applies the dead band, stamps the status, closes
 * frames and appends them. Never waits for the network. The other way, it
 * takes values from any thread and hands them to the driver.
 */
#ifndef FG_AGENTS_SAMPLER_H
#define FG_AGENTS_SAMPLER_H

#include <stdio.h>

#include "agents/agent.h"
#include "agents/driver.h"

struct sampler;

/* What to do when the spool has no room. */
enum sampler_full {
	SAMPLER_DROP_OLDEST, /* give up the oldest frames */
	SAMPLER_STOP,        /* stop sampling until there is room */
};

struct sampler_options {
	const struct driver *driver;
	const void *driver_options;
	int64_t period_us;
	int64_t flush_us;   /* close a frame so long after its first sample */
	int64_t refresh_us; /* an unchanged value is sent again after this */
	size_t frame_samples;
	enum sampler_full when_full;
	bool compress;
};

/*
 * Open the driver. agent->list is loaded; the spool may be NULL for a dump.
 * Fails: as the driver's open.
 */
MUST_CHECK enum rc sampler_open(struct agent *agent,
	const struct sampler_options *options, struct sampler **sampler,
	struct fault *fault);
void sampler_close(struct sampler *sampler);

/* Sample until agent->stopping or the driver has finished. */
void sampler_run(struct sampler *sampler);

/* Print what would be sent for so many seconds. Fails: as the driver. */
MUST_CHECK enum rc sampler_dump(struct sampler *sampler, int64_t seconds,
	FILE *out, struct fault *fault);

/* How an order ended. */
struct sampler_result {
	uint64_t token;
	/* RC_OK and the codes of sink->written and driver->write; RC_DENIED
	 * access is not read_write; RC_UNPROCESSABLE out of range or not to be
	 * represented; RC_CONFLICT also: the old value is not the expected. */
	enum rc rc;
	bool begun; /* the device may have been touched */
	/* What the variable has now, as far as known; else VALUE_NONE. Text is
	 * gone after the call. */
	struct value value;
	uint64_t status; /* its own */
	const char *why; /* "" for RC_OK */
};

/* A value for a variable, in the unit of the variable. */
struct sampler_order {
	uint64_t token; /* the caller's; comes back with the result */
	size_t index;   /* into agent->list */
	struct value value;
	bool expects;          /* only when the last value is ... */
	struct value expected; /* ... this and valid */
	int64_t until_us;      /* steady clock: never begun later */
	/* Called once, by the sampler's thread, maybe before sampler_write
	 * returns; must not block. */
	void (*done)(void *context, const struct sampler_result *result);
	void *context;
};

/*
 * Hand over an order, from any thread; text is copied. Its result is told even
 * when the sampler is closed before. Fails: RC_TOO_MANY when
 * SAMPLER_ORDERS_MAX are under way; then nothing is told.
 */
#define SAMPLER_ORDERS_MAX 1000
MUST_CHECK enum rc sampler_write(struct sampler *sampler,
	const struct sampler_order *order, struct fault *fault);

/* The other way: the raw value that sampler_convert makes "value" of. False
 * when there is none, as for 0.5 of an int with scale 1, or an infinite one. */
bool sampler_unscale(const struct input *input, const struct value *value,
	struct value *raw);

/* Whether a number is outside of the input's range. */
bool sampler_is_outside(const struct input *input, const struct value *value);

/*
 * A raw value as the input wants it; false when it does not fit. The status
 * gets STATUS_OV when the value is outside of the input's range.
 */
bool sampler_convert(const struct input *input, const struct value *raw,
	struct value *value, uint64_t *status);

/* Whether "now" is news after "before", by the input's dead band. */
bool sampler_moved(const struct input *input, const struct value *before,
	const struct value *now);

#endif
