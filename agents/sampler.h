/*
 * sampler: from the driver's raw values to frames in the spool.
 *
 * Scales, checks the range, applies the dead band, stamps the status, closes
 * frames and appends them. Never waits for the network.
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
