/* orders: a running sampler that a test gives values to write. */

#include "tests/unit/orders.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/unit/unit.h"

struct value
int_value(int64_t number)
{
	return (struct value){.kind = VALUE_INT, .integer = number};
}

static void *
run(void *context)
{
	struct plant *plant = context;

	sampler_run(plant->sampler);
	return NULL;
}

void
plant_prepare(struct plant *plant)
{
	memset(plant, 0, sizeof(*plant));
	strcpy(plant->folder, "/tmp/fieldgrid-orders-XXXXXX");
	assert_non_null(mkdtemp(plant->folder));
}

void
plant_start(struct plant *plant, struct input *inputs, size_t count,
	const struct driver *driver, const void *driver_options,
	int64_t period_us)
{
	struct sampler_options options = {.driver = driver,
		.driver_options = driver_options,
		.period_us = period_us,
		.refresh_us = CLOCK_SECOND_US,
		.frame_samples = 1000};
	struct fault fault = {0};

	pthread_mutex_init(&plant->lock, NULL);
	pthread_cond_init(&plant->told, NULL);
	agent_init(&plant->agent);
	plant->agent.list = (struct input_list){"x.csv", count, inputs};
	plant->agent.spool_folder = plant->folder;
	assert_int_equal(spool_open(plant->folder, 1024 * 1024,
				 &plant->agent.spool, &fault),
		RC_OK);
	assert_int_equal(spool_begin(plant->agent.spool, 1, &fault), RC_OK);
	plant->agent.ready = true;
	if (sampler_open(&plant->agent, &options, &plant->sampler, &fault) !=
		RC_OK)
		fail_msg("%s", fault.text);
	assert_int_equal(pthread_create(&plant->thread, NULL, run, plant), 0);
}

void
plant_stop(struct plant *plant)
{
	char command[128];

	agent_set(&plant->agent, &plant->agent.stopping);
	pthread_join(plant->thread, NULL);
	sampler_close(plant->sampler);
	agent_destroy(&plant->agent);
	pthread_mutex_destroy(&plant->lock);
	pthread_cond_destroy(&plant->told);
	snprintf(command, sizeof(command), "rm -rf %s", plant->folder);
	assert_int_equal(system(command), 0);
}

static void
take_result(void *context, const struct sampler_result *result)
{
	struct plant *plant = context;

	pthread_mutex_lock(&plant->lock);
	plant->count++;
	plant->result = *result;
	snprintf(plant->why, sizeof(plant->why), "%s", result->why);
	if (result->value.kind == VALUE_STRING)
		snprintf(plant->text, sizeof(plant->text), "%s",
			result->value.string.data);
	pthread_cond_signal(&plant->told);
	pthread_mutex_unlock(&plant->lock);
}

void
plant_give(struct plant *plant, struct sampler_order order)
{
	static uint64_t token;
	struct fault fault;

	order.token = ++token;
	order.done = take_result;
	order.context = plant;
	if (order.until_us == 0)
		order.until_us = clock_steady_us() + CLOCK_MINUTE_US;
	assert_int_equal(sampler_write(plant->sampler, &order, &fault), RC_OK);
}

void
plant_wait(struct plant *plant, int count)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	pthread_mutex_lock(&plant->lock);
	while (plant->count < count &&
		pthread_cond_timedwait(&plant->told, &plant->lock, &until) == 0)
		continue;
	pthread_mutex_unlock(&plant->lock);
	assert_int_equal(plant->count, count);
}

void
plant_expect(struct plant *plant, struct sampler_order order, enum rc rc,
	const char *why)
{
	int count = plant->count;

	plant_give(plant, order);
	plant_wait(plant, count + 1);
	if (plant->result.rc != rc || strstr(plant->why, why) == NULL)
		fail_msg("%s: %s", fault_name(plant->result.rc), plant->why);
}
