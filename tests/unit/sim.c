/* sim: the simulated plants are physical, and the same every time. */

#include "agents/sim.h"
#include "agents/noise.h"
#include "agents/sim_wind.h"
#include "lib/clock.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <string.h>

#define VALUES_MAX 128
#define START_US   (SIM_BUILT_US + 400 * CLOCK_DAY_US)

static const struct sim_place vienna = {
	.seed = 7, .latitude = 48.2, .longitude = 16.4};

static size_t
value_count(const struct sim_model *model)
{
	return model->site_count + (size_t)model->units * model->unit_count;
}

static const struct value *
find(const struct sim_model *model, const struct value *values, int unit,
	const char *name)
{
	const struct sim_signal *signals =
		unit == 0 ? model->site : model->unit;
	size_t count = unit == 0 ? model->site_count : model->unit_count;
	size_t base = unit == 0 ? 0
				: model->site_count + (size_t)(unit - 1) *
							      model->unit_count;

	for (size_t i = 0; i < count; i++)
		if (strcmp(signals[i].name, name) == 0)
			return &values[base + i];
	fail_msg("no signal %s", name);
	return NULL;
}

static double
number(const struct sim_model *model, const struct value *values, int unit,
	const char *name)
{
	return value_number(find(model, values, unit, name));
}

static void
assert_same(const struct value *left, const struct value *right, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_true(value_equal(&left[i], &right[i]));
}

/* One runs through, one starts anew for every look. */
static void
check_restarts(const struct sim_model *model)
{
	struct arena *steady_arena = arena_new();
	void *steady = model->open(steady_arena, &vienna);
	struct value values[VALUES_MAX];

	assert_in_range(value_count(model), 90, VALUES_MAX);
	for (int i = 0; i < 60; i++) {
		int64_t time_us = START_US + i * 977 * CLOCK_SECOND_US;

		model->compute(steady, time_us, values);
		if (i % 30 == 29) {
			struct arena *arena = arena_new();
			struct value fresh[VALUES_MAX];

			model->compute(
				model->open(arena, &vienna), time_us, fresh);
			assert_same(values, fresh, value_count(model));
			arena_free(arena);
		}
	}
	arena_free(steady_arena);
}

static void
test_sim_is_the_same_after_a_restart(void **state)
{
	(void)state;
	check_restarts(&sim_solar);
	check_restarts(&sim_wind);
}

static void
test_sim_depends_on_the_seed(void **state)
{
	struct sim_place other = vienna;
	struct arena *arena = arena_new();
	struct value a[VALUES_MAX];
	struct value b[VALUES_MAX];

	(void)state;
	other.seed++;
	sim_wind.compute(sim_wind.open(arena, &vienna), START_US, a);
	sim_wind.compute(sim_wind.open(arena, &other), START_US, b);
	assert_false(value_equal(&a[0], &b[0]));
	arena_free(arena);
}

static void
test_sim_counters_never_fall(void **state)
{
	static const struct sim_model *const models[] = {&sim_solar, &sim_wind};

	(void)state;
	for (size_t m = 0; m < ARRAY_LENGTH(models); m++) {
		struct arena *arena = arena_new();
		void *plant = models[m]->open(arena, &vienna);
		struct value values[VALUES_MAX];
		int64_t before = 0;

		for (int i = 0; i < 500; i++) {
			const struct value *total;

			models[m]->compute(plant,
				START_US + i * 267 * CLOCK_SECOND_US, values);
			total = find(models[m], values, 0, "energy_total");
			assert_int_equal(total->kind, VALUE_INT);
			assert_true(total->integer >= before);
			before = total->integer;
		}
		arena_free(arena);
	}
}

static void
check_inverter(const struct value *values, int unit)
{
	double ac = number(&sim_solar, values, unit, "ac_power");
	double volts = number(&sim_solar, values, unit, "dc_voltage");
	double amperes = number(&sim_solar, values, unit, "dc_current");
	double strings = number(&sim_solar, values, unit, "string1_current") +
			 number(&sim_solar, values, unit, "string2_current");
	double state = number(&sim_solar, values, unit, "state");

	assert_true(ac >= 0 && ac <= 50);
	assert_true(volts >= 0 && volts < 900);
	assert_true(fabs(strings - amperes) < 1e-9);
	assert_true(ac <= volts * amperes / 1000);
	assert_true(state >= 2 || ac == 0);
	if (ac > 10)
		assert_true(ac > 0.93 * volts * amperes / 1000);
}

static void
test_sim_solar_follows_the_sun(void **state)
{
	struct arena *arena = arena_new();
	void *plant = sim_solar.open(arena, &vienna);
	struct value values[VALUES_MAX];
	double most = 0;

	(void)state;
	for (int i = 0; i < 24 * 6; i++) {
		double elevation;
		double power;

		sim_solar.compute(
			plant, START_US + i * 10 * CLOCK_MINUTE_US, values);
		elevation = number(&sim_solar, values, 0, "sun_elevation");
		power = number(&sim_solar, values, 0, "power");
		if (elevation < -1)
			assert_true(power == 0);
		most = fmax(most, power);
		for (int unit = 1; unit <= sim_solar.units; unit++)
			check_inverter(values, unit);
	}
	assert_true(most > 60 && most <= 600);
	arena_free(arena);
}

static void
test_sim_power_curve_has_its_corners(void **state)
{
	double before = 0;

	(void)state;
	assert_true(sim_power_curve(2.9) == 0);
	assert_true(sim_power_curve(25) == 0);
	assert_true(sim_power_curve(12.5) == 2050000);
	assert_true(sim_power_curve(20) == 2050000);
	for (double wind = 3; wind < 24; wind += 0.1) {
		assert_true(sim_power_curve(wind) >= before);
		before = sim_power_curve(wind);
	}
	/* A MM92 gives about 0.5 MW at 7 m/s and 1.5 MW at 10 m/s. */
	assert_in_range((long)sim_power_curve(7), 400000, 750000);
	assert_in_range((long)sim_power_curve(10), 1200000, 1750000);
}

static void
check_turbine(const struct value *values, int unit, bool seen[5])
{
	double power = number(&sim_wind, values, unit, "power");
	double rotor = number(&sim_wind, values, unit, "rotor_speed");
	double pitch = number(&sim_wind, values, unit, "pitch");
	long condition = (long)number(&sim_wind, values, unit, "state");

	assert_in_range(condition, 0, 4);
	seen[condition] = true;
	assert_true(power >= 0 && power <= 2050);
	assert_true(rotor >= 0 && rotor <= 15.001);
	assert_true(pitch >= 0 && pitch <= 88.001);
	if (condition == 2)
		assert_true(rotor > 7 && pitch < 25);
	assert_true(number(&sim_wind, values, unit, "gear_temperature") < 100);
}

static void
test_sim_wind_goes_through_all_states(void **state)
{
	struct arena *arena = arena_new();
	void *plant = sim_wind.open(arena, &vienna);
	struct value values[VALUES_MAX];
	bool seen[5] = {false};

	(void)state;
	for (int i = 0; i < 40 * 24 * 3; i++) {
		sim_wind.compute(plant,
			START_US + i * 20 * CLOCK_MINUTE_US +
				i % 7 * CLOCK_SECOND_US,
			values);
		for (int unit = 1; unit <= sim_wind.units; unit++)
			check_turbine(values, unit, seen);
	}
	for (int i = 0; i < 5; i++)
		assert_true(seen[i]);
	arena_free(arena);
}

static double
jump(const void *context, int64_t time_us)
{
	(void)context;
	return time_us >= 0 ? 100 : 0;
}

static size_t
place_of(const struct value *values, const char *name)
{
	return (size_t)(find(&sim_wind, values, 0, name) - values);
}

/* Power comes down to the set point by 500 kW/s, by pitching, and back. */
static void
test_sim_wind_follows_its_set_point(void **state)
{
	struct arena *arena = arena_new();
	void *plant = sim_wind.open(arena, &vienna);
	void *free_plant = sim_wind.open(arena, &vienna);
	struct value values[VALUES_MAX] = {0};
	struct value free_values[VALUES_MAX] = {0};
	const struct value limit = {.kind = VALUE_FLOAT, .number = 1000};
	const struct value off = {.kind = VALUE_FLOAT, .number = 20500};
	int64_t time_us = START_US;
	size_t power;
	double before;

	(void)state;
	power = place_of(values, "power");
	do { /* enough wind */
		time_us += CLOCK_HOUR_US;
		sim_wind.compute(free_plant, time_us, free_values);
	} while (free_values[power].number < 8000);
	sim_wind.compute(plant, time_us, values);
	before = values[power].number;
	assert_true(before == free_values[power].number);
	assert_true(sim_wind.set(
		plant, place_of(values, "power_limit"), &limit, time_us));
	sim_wind.compute(plant, time_us + 2 * CLOCK_SECOND_US, values);
	assert_true(values[power].number > 1000 + 5000); /* not at once */
	sim_wind.compute(plant, time_us + 60 * CLOCK_SECOND_US, values);
	sim_wind.compute(
		free_plant, time_us + 60 * CLOCK_SECOND_US, free_values);
	assert_true(fabs(values[power].number - 1000) < 1);
	assert_true(number(&sim_wind, values, 0, "power_limit") == 1000);
	for (int unit = 1; unit <= sim_wind.units; unit++) {
		double free_power =
			number(&sim_wind, free_values, unit, "power");

		if (free_power > 0)
			assert_true(
				number(&sim_wind, values, unit, "pitch") >
				number(&sim_wind, free_values, unit, "pitch"));
		assert_true(
			number(&sim_wind, values, unit, "power") <= free_power);
	}
	assert_true(sim_wind.set(plant, place_of(values, "power_limit"), &off,
		time_us + 60 * CLOCK_SECOND_US));
	sim_wind.compute(plant, time_us + 120 * CLOCK_SECOND_US, values);
	sim_wind.compute(
		free_plant, time_us + 120 * CLOCK_SECOND_US, free_values);
	assert_true(values[power].number == free_values[power].number);
	assert_false(sim_wind.set(plant, power, &off, time_us));
	arena_free(arena);
}

static void
test_lag_is_first_order(void **state)
{
	struct lag lag = {.target = jump, .step_us = CLOCK_SECOND_US};
	int64_t constant_us = LAG_STEPS / 4 * CLOCK_SECOND_US;

	(void)state;
	assert_true(lag_at(&lag, -CLOCK_SECOND_US) == 0);
	assert_in_range((long)lag_at(&lag, constant_us), 58, 68); /* 63 % */
	assert_in_range((long)lag_at(&lag, 2 * constant_us), 83, 90);
	assert_true(fabs(lag_at(&lag, 5 * constant_us) - 100) < 1e-9);
}

static void
test_noise_is_smooth_and_bounded(void **state)
{
	double before = noise_smooth(1, 2, 0, 10);

	(void)state;
	for (int64_t time_us = 0; time_us < 600 * CLOCK_SECOND_US;
		time_us += CLOCK_SECOND_US / 10) {
		double now = noise_smooth(1, 2, time_us, 10);

		assert_true(fabs(now) < 1.6);
		assert_true(fabs(now - before) < 0.06);
		before = now;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sim_is_the_same_after_a_restart),
		cmocka_unit_test(test_sim_depends_on_the_seed),
		cmocka_unit_test(test_sim_counters_never_fall),
		cmocka_unit_test(test_sim_solar_follows_the_sun),
		cmocka_unit_test(test_sim_power_curve_has_its_corners),
		cmocka_unit_test(test_sim_wind_goes_through_all_states),
		cmocka_unit_test(test_sim_wind_follows_its_set_point),
		cmocka_unit_test(test_lag_is_first_order),
		cmocka_unit_test(test_noise_is_smooth_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
