/* sampler_parts: what the files of the sampler share. */
#ifndef FG_AGENTS_SAMPLER_PARTS_H
#define FG_AGENTS_SAMPLER_PARTS_H

#include "agents/sampler.h"
#include "lib/clock.h"

#define SAMPLER_WAIT_US CLOCK_SECOND_US /* the clock may be set meanwhile */

/* What the sampler knows of one input. */
struct sampler_course {
	struct value value; /* last sent; the text of strings is "text" */
	uint64_t status;
	int64_t sent_us; /* CLOCK_NEVER: nothing yet */
	bool overflow;   /* the next sample says that some were lost */
	char *text;
	size_t text_bytes;
};

struct sampler {
	struct sink sink; /* first: the driver gives it back */
	struct agent *agent;
	struct sampler_options options;
	struct arena *arena; /* of the driver */
	void *driver;
	struct sampler_course *courses;

	/* The open frame. variable_id holds index + 1 until it is encoded. */
	struct sample *samples;
	size_t count;
	size_t capacity;
	struct arena *strings;
	int64_t opened_us; /* steady clock */
	struct buf encoded;
	bool told_unknown;
};

/* Forget the samples of the open frame. */
void sampler_empty(struct sampler *sampler);

/*
 * Close the open frame and bring it onto the disk, with the news of the agent.
 * Blocks: while the spool is full and nothing may be dropped.
 */
void sampler_flush(struct sampler *sampler);

/*
 * Ask the driver what is due. "periodic" and "due_us" are what it wished the
 * last time and become what it wishes now.
 */
MUST_CHECK enum rc sampler_poll(struct sampler *sampler, int64_t *due_us,
	bool *periodic, struct fault *fault);

#endif
