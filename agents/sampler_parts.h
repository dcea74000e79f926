/* sampler_parts: what the files of the sampler share. */
#ifndef FG_AGENTS_SAMPLER_PARTS_H
#define FG_AGENTS_SAMPLER_PARTS_H

#include "agents/alarm_keep.h"
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

struct sampler_pending; /* an order under way, agents/sampler_write.c */

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

	struct alarm_engine *alarms;
	struct alarm_keep alarm_keep;
	struct buf alarm_state;
	uint64_t alarm_version;  /* of the engine, when its state was kept */
	uint64_t limits_version; /* that the engine has */
	bool alarms_repeated;    /* because of what is to be told */
	int64_t repeat_due_us;   /* steady clock: after a refusal */
	int64_t clock_offset_us; /* wall clock less steady clock */
	int64_t polled_us;       /* steady clock: the last look */
	int64_t offset_us;       /* of the plant's clock to the steady one */

	/* Under agent->lock. */
	bool woken;    /* something below, or the driver, wants attention */
	bool poll_now; /* the driver wants to be polled */
	struct sampler_pending *orders; /* not begun yet, oldest first */
	struct sampler_pending *orders_last;
	size_t order_count; /* with the begun ones */

	struct sampler_pending *begun; /* the driver has them */
	uint64_t last_token;           /* of the driver's writes */
};

/* Wait until something wakes the sampler, at most so long. True: the driver
 * asks for a poll. */
bool sampler_wait(struct sampler *sampler, int64_t timeout_us);
void sampler_wake(struct sampler *sampler, bool poll);

/* Hand waiting orders to the driver and give up those it never answered. */
void sampler_begin_orders(struct sampler *sampler);
/* The sink's function of that name. */
void sampler_written(struct sink *sink, uint64_t token, enum rc rc,
	const struct value *raw, const char *why);
/* The driver is closed: tell all that nothing more will come. */
void sampler_end_orders(struct sampler *sampler);

/* --- sampler_alarms.c ----------------------------------------------------- */

void sampler_alarms_open(struct sampler *sampler);
void sampler_alarms_close(struct sampler *sampler);
/* Go on with the state of an earlier run, once the ids are known.
 * Fails: RC_IO. */
MUST_CHECK enum rc sampler_alarms_begin(
	struct sampler *sampler, struct fault *fault);
/* Evaluate a sample, which has the input's place + 1 as its variable. */
void sampler_alarms_put(struct sampler *sampler, const struct sample *sample);
/* Take new limits, follow the clock, let delays end. */
void sampler_alarms_tick(struct sampler *sampler);
/* Are there changes for the next frame? */
bool sampler_alarms_wait(const struct sampler *sampler);
/* Frames were lost: tell all alarms again, once for each loss. */
void sampler_alarms_repeat(struct sampler *sampler);
/* The changes of the next frame. Freed by the caller. */
struct alarm_change *sampler_alarms_number(
	struct sampler *sampler, size_t *count);
/* Keep the state behind the frame that tells the first "count" changes.
 * Fails: as alarm_keep_write. */
MUST_CHECK enum rc sampler_alarms_keep(struct sampler *sampler,
	int64_t sequence, size_t count, struct fault *fault);
void sampler_alarms_stored(struct sampler *sampler, size_t count);

/* --- the open frame ------------------------------------------------------- */

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
