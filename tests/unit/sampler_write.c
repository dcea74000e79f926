/* sampler_write: orders from other threads, the driver's results, and wakes. */

#include "lib/clock.h"
#include "tests/unit/orders.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- a driver that answers at once, later, or never -------------------------
 */

enum manner { AT_ONCE, LATER, NEVER, REFUSES };

static struct {
	enum manner manner;
	void (*wake)(void *context);
	void *wake_context;
	int64_t last;   /* the raw value that was written last */
	uint64_t token; /* of a write that is to be answered in a poll */
	int writes;
	int polls;
	pthread_mutex_t lock;
} device;

static enum rc
device_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	(void)fault;
	device.wake = setup->wake;
	device.wake_context = setup->wake_context;
	*state = &device;
	return RC_OK;
}

static enum rc
device_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct value last = int_value(device.last);

	(void)state;
	(void)fault;
	pthread_mutex_lock(&device.lock);
	device.polls++;
	pthread_mutex_unlock(&device.lock);
	if (device.token != 0 && device.manner == LATER) {
		sink->put(sink, 0, due_us, 0, &last);
		sink->written(sink, device.token, RC_OK, &last, NULL);
		device.token = 0;
	}
	*next_us = DRIVER_NEXT_PERIOD;
	return RC_OK;
}

static enum rc
device_write(void *state, const struct driver_write *write, struct sink *sink,
	struct fault *fault)
{
	(void)state;
	device.writes++;
	if (device.manner == REFUSES)
		return fault_set(fault, RC_UNPROCESSABLE, "not with me");
	device.last = write->raw->integer;
	device.token = write->token;
	if (device.manner != AT_ONCE)
		return RC_OK;
	sink->put(sink, 0, clock_now_us(), 0, write->raw);
	sink->written(sink, write->token, RC_OK, write->raw, NULL);
	return RC_OK;
}

static void
device_close(void *state)
{
	(void)state;
}

static const struct driver device_driver = {
	.name = "device",
	.open = device_open,
	.poll = device_poll,
	.write = device_write,
	.close = device_close,
};

static const struct driver reading_driver = {
	.name = "reading",
	.open = device_open,
	.poll = device_poll,
	.close = device_close,
};

static struct input inputs[2]; /* the second is for reading only */

static struct input
an_input(const char *name, const char *access, int32_t id)
{
	return (struct input){.name = name,
		.address = name,
		.access = access,
		.kind = VALUE_INT,
		.scale = 10,
		.offset = 5,
		.minimum = NAN,
		.maximum = 1000,
		.dead_band = NAN,
		.id = id};
}

static void
start(struct plant *plant, const struct driver *driver, enum manner manner)
{
	memset(&device, 0, sizeof(device));
	pthread_mutex_init(&device.lock, NULL);
	device.manner = manner;
	inputs[0] = an_input("written", "read_write", 5);
	inputs[1] = an_input("read", "read", 6);
	plant_prepare(plant);
	plant_start(plant, inputs, 2, driver, NULL, CLOCK_HOUR_US);
}

/* --- what is claimed --------------------------------------------------------
 */

static void
test_write_is_unscaled_and_its_result_scaled(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant, &device_driver, AT_ONCE);
	plant_expect(&plant, (struct sampler_order){.value = int_value(125)},
		RC_OK, "");
	assert_int_equal(device.last, 12);
	assert_int_equal(plant.result.value.kind, VALUE_INT);
	assert_int_equal(plant.result.value.integer, 125);
	plant_stop(&plant);
}

static void
test_write_is_refused_before_the_driver(void **state)
{
	struct plant plant;
	struct sampler_order late = {.value = int_value(15), .until_us = 1};

	(void)state;
	start(&plant, &device_driver, AT_ONCE);
	plant_expect(&plant,
		(struct sampler_order){.index = 1, .value = int_value(15)},
		RC_DENIED, "read_write");
	plant_expect(&plant, (struct sampler_order){.value = int_value(1005)},
		RC_UNPROCESSABLE, "outside of the range");
	plant_expect(&plant, (struct sampler_order){.value = int_value(16)},
		RC_UNPROCESSABLE, "represented");
	plant_expect(&plant, late, RC_UNAVAILABLE, "time was over");
	assert_false(plant.result.begun);
	assert_int_equal(device.writes, 0);
	plant_stop(&plant);
}

static void
test_write_needs_the_expected_value(void **state)
{
	struct plant plant;
	struct sampler_order order = {.value = int_value(25),
		.expects = true,
		.expected = int_value(15)};

	(void)state;
	start(&plant, &device_driver, AT_ONCE);
	plant_expect(&plant, order, RC_CONFLICT, "not known");
	plant_expect(&plant, (struct sampler_order){.value = int_value(15)},
		RC_OK, "");
	plant_expect(&plant, order, RC_OK, "");
	plant_expect(&plant, order, RC_CONFLICT, "not the expected one");
	assert_int_equal(plant.result.value.integer, 25);
	assert_int_equal(device.writes, 2);
	plant_stop(&plant);
}

static void
test_write_result_may_come_later(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant, &device_driver, LATER);
	plant_give(&plant, (struct sampler_order){.value = int_value(35)});
	usleep(50000);
	assert_int_equal(plant.count, 0);
	device.wake(device.wake_context);
	plant_wait(&plant, 1);
	assert_int_equal(plant.result.rc, RC_OK);
	assert_int_equal(plant.result.value.integer, 35);
	plant_stop(&plant);
}

static void
test_write_tells_the_drivers_refusal(void **state)
{
	struct plant plant;

	(void)state;
	start(&plant, &device_driver, REFUSES);
	plant_expect(&plant, (struct sampler_order){.value = int_value(35)},
		RC_UNPROCESSABLE, "not with me");
	plant_stop(&plant);
	start(&plant, &reading_driver, AT_ONCE);
	plant_expect(&plant, (struct sampler_order){.value = int_value(35)},
		RC_DENIED, "cannot write");
	plant_stop(&plant);
}

static void
count_result(void *context, const struct sampler_result *result)
{
	struct plant *plant = context;

	plant->count++;
	plant->result = *result;
}

static void
test_write_is_always_answered(void **state)
{
	struct plant plant;
	struct sampler_order order = {.value = int_value(35),
		.done = count_result,
		.context = &plant,
		.until_us = INT64_MAX};
	struct fault fault;
	int taken = 0;

	(void)state;
	start(&plant, &device_driver, NEVER);
	while (sampler_write(plant.sampler, &order, &fault) == RC_OK)
		taken++;
	assert_int_equal(fault.rc, RC_TOO_MANY);
	assert_int_equal(taken, SAMPLER_ORDERS_MAX);
	plant_stop(&plant);
	assert_int_equal(plant.count, SAMPLER_ORDERS_MAX);
	assert_true(plant.result.rc == RC_IO || !plant.result.begun);
}

static void
test_wake_polls_at_once(void **state)
{
	struct plant plant;
	int64_t began_us;
	int polls = 0;

	(void)state;
	start(&plant, &device_driver, AT_ONCE);
	began_us = clock_steady_us();
	for (int i = 1; i <= 100; i++) {
		device.wake(device.wake_context);
		while (polls < i) {
			usleep(100);
			pthread_mutex_lock(&device.lock);
			polls = device.polls;
			pthread_mutex_unlock(&device.lock);
		}
	}
	/* Without the wake each would take SAMPLER_WAIT_US, and an hour. */
	assert_true(clock_steady_us() - began_us < 10 * CLOCK_SECOND_US);
	plant_stop(&plant);
}

static void
test_unscale_undoes_the_scaling(void **state)
{
	struct input input = an_input("x", "read_write", 1);
	struct value raw;
	struct value value;
	uint64_t status = 0;

	(void)state;
	input.kind = VALUE_FLOAT;
	input.scale = 0.1;
	input.offset = -40;
	input.maximum = NAN;
	for (int i = -1000; i < 1000; i++) {
		struct value wanted = {.kind = VALUE_FLOAT, .number = i * 0.37};

		assert_true(sampler_unscale(&input, &wanted, &raw));
		assert_true(sampler_convert(&input, &raw, &value, &status));
		assert_true(fabs(value.number - wanted.number) < 1e-9);
	}
	value = (struct value){.kind = VALUE_FLOAT, .number = INFINITY};
	assert_false(sampler_unscale(&input, &value, &raw));
	value = int_value(1);
	assert_false(sampler_unscale(&input, &value, &raw));
	input.kind = VALUE_INT;
	input.scale = -1;
	input.offset = 0;
	value = int_value(INT64_MIN);
	assert_false(sampler_unscale(&input, &value, &raw));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_is_unscaled_and_its_result_scaled),
		cmocka_unit_test(test_write_is_refused_before_the_driver),
		cmocka_unit_test(test_write_needs_the_expected_value),
		cmocka_unit_test(test_write_result_may_come_later),
		cmocka_unit_test(test_write_tells_the_drivers_refusal),
		cmocka_unit_test(test_write_is_always_answered),
		cmocka_unit_test(test_wake_polls_at_once),
		cmocka_unit_test(test_unscale_undoes_the_scaling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
