/* orders: a running sampler that a test gives values to write. */
#ifndef FG_TESTS_UNIT_ORDERS_H
#define FG_TESTS_UNIT_ORDERS_H

#include "agents/sampler.h"

struct plant {
	struct agent agent;
	char folder[64]; /* of the spool; for files of the driver, too */
	struct sampler *sampler;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t told;
	int count;                    /* of results */
	struct sampler_result result; /* the last; its texts are below */
	char why[256];
	char text[256];
};

/* An empty folder; before plant_start. */
void plant_prepare(struct plant *plant);

/* Sample "inputs" with the driver until plant_stop. */
void plant_start(struct plant *plant, struct input *inputs, size_t count,
	const struct driver *driver, const void *driver_options,
	int64_t period_us);
void plant_stop(struct plant *plant);

/* Give an order, for a minute if it does not say until when. */
void plant_give(struct plant *plant, struct sampler_order order);

/* Wait until there are so many results; fails after ten seconds. */
void plant_wait(struct plant *plant, int count);

/* Give it and expect this result, with "why" in its words. */
void plant_expect(struct plant *plant, struct sampler_order order, enum rc rc,
	const char *why);

struct value int_value(int64_t number);

#endif
