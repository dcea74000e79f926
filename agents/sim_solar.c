/* sim_solar: a photovoltaic park of twelve inverters. */

#include <math.h>

#include "agents/noise.h"
#include "agents/sim.h"
#include "agents/sun.h"
#include "lib/clock.h"

#define INVERTERS   12
#define NOMINAL_W   50000.0 /* of an inverter, at the grid */
#define PEAK_W      56000.0 /* of its modules, at 1000 W/m2 and 25 degrees */
#define TILT        25.0
#define SLOT_US     (5 * CLOCK_MINUTE_US)
#define MODULE_STEP (30 * CLOCK_SECOND_US) /* time constant 12 minutes */
#define SHADOW_LAG_US                                                          \
	(4 * CLOCK_SECOND_US) /* from one inverter to the next                 \
			       */
#define NIGHT_WM2 4.0
#define WAKE_WM2  18.0

enum site_signal {
	SITE_IRRADIANCE,
	SITE_HORIZONTAL,
	SITE_TEMPERATURE,
	SITE_MODULE_TEMPERATURE,
	SITE_WIND,
	SITE_ELEVATION,
	SITE_AZIMUTH,
	SITE_CLOUDS,
	SITE_POWER,
	SITE_RATIO,
	SITE_ENERGY_TODAY,
	SITE_ENERGY_TOTAL,
	SITE_RUNNING,
	SITE_CONNECTED,
	SITE_WEATHER,
	SITE_COUNT
};

enum unit_signal {
	UNIT_STATE,
	UNIT_POWER,
	UNIT_VOLTAGE,
	UNIT_CURRENT,
	UNIT_STRING1,
	UNIT_STRING2,
	UNIT_TEMPERATURE,
	UNIT_ENERGY,
	UNIT_COUNT
};

static const struct sim_signal site_signals[] = {
	[SITE_IRRADIANCE] = {"irradiance", VALUE_FLOAT},
	[SITE_HORIZONTAL] = {"irradiance_horizontal", VALUE_FLOAT},
	[SITE_TEMPERATURE] = {"temperature", VALUE_FLOAT},
	[SITE_MODULE_TEMPERATURE] = {"module_temperature", VALUE_FLOAT},
	[SITE_WIND] = {"wind_speed", VALUE_FLOAT},
	[SITE_ELEVATION] = {"sun_elevation", VALUE_FLOAT},
	[SITE_AZIMUTH] = {"sun_azimuth", VALUE_FLOAT},
	[SITE_CLOUDS] = {"cloud_cover", VALUE_FLOAT},
	[SITE_POWER] = {"power", VALUE_FLOAT},
	[SITE_RATIO] = {"performance_ratio", VALUE_FLOAT},
	[SITE_ENERGY_TODAY] = {"energy_today", VALUE_FLOAT},
	[SITE_ENERGY_TOTAL] = {"energy_total", VALUE_INT},
	[SITE_RUNNING] = {"inverters_running", VALUE_INT},
	[SITE_CONNECTED] = {"grid_connected", VALUE_BOOL},
	[SITE_WEATHER] = {"weather", VALUE_STRING},
};

static const struct sim_signal unit_signals[] = {
	[UNIT_STATE] = {"state", VALUE_INT},
	[UNIT_POWER] = {"ac_power", VALUE_FLOAT},
	[UNIT_VOLTAGE] = {"dc_voltage", VALUE_FLOAT},
	[UNIT_CURRENT] = {"dc_current", VALUE_FLOAT},
	[UNIT_STRING1] = {"string1_current", VALUE_FLOAT},
	[UNIT_STRING2] = {"string2_current", VALUE_FLOAT},
	[UNIT_TEMPERATURE] = {"temperature", VALUE_FLOAT},
	[UNIT_ENERGY] = {"energy_total", VALUE_INT},
};

enum state {
	STATE_NIGHT,
	STATE_STARTING,
	STATE_RUNNING,
	STATE_FAULT,
	STATE_LIMITED
};

/* Numbers of the random courses. */
enum channel {
	CLOUD_DAY = 1,
	CLOUD_HOUR,
	GAP_SLOW,
	GAP_FAST,
	WIND_SLOW,
	WIND_FAST,
	MODULES,
	STRINGS,
	VOLTAGE
};

struct sky {
	struct sun sun;
	double clouds; /* share of the sky, 0..1 */
	double global; /* W/m2 on the horizontal */
	double plane;  /* W/m2 on the modules */
};

struct solar;

struct inverter {
	const struct solar *solar;
	int number;
	struct lag heat;
};

struct solar {
	struct sim_place place;
	struct lag modules;
	struct inverter inverters[INVERTERS];
	struct sim_meter meter;
};

static double
noise(const struct solar *solar, enum channel channel, int64_t time_us,
	double period_s)
{
	return noise_smooth(solar->place.seed, channel, time_us, period_s);
}

static double
cloud_cover(const struct solar *solar, int64_t time_us)
{
	return sim_clamp(0.42 + 0.50 * noise(solar, CLOUD_DAY, time_us, 1e5) +
				 0.25 * noise(solar, CLOUD_HOUR, time_us, 7e3),
		0, 1);
}

/* What a cloud lets through; a bright edge may give more than a clear sky. */
static double
transmission(const struct solar *solar, double clouds, int64_t time_us)
{
	double gap = 0.65 * noise(solar, GAP_SLOW, time_us, 420) +
		     0.35 * noise(solar, GAP_FAST, time_us, 75);
	double cloudy = 1 / (1 + exp(-7 * (clouds - 0.5) - 6 * gap));
	double edge = 4 * cloudy * (1 - cloudy);

	return 1 - 0.76 * cloudy + 0.06 * edge * (1 - clouds);
}

static void
look_at_sky(const struct solar *solar, int64_t time_us, struct sky *sky)
{
	const struct sim_place *place = &solar->place;

	sky->sun = sun_position(time_us, place->latitude, place->longitude);
	sky->clouds = cloud_cover(solar, time_us);
	sky->global = sky->plane = 0;
	if (sky->sun.elevation <= 0)
		return;
	sky->global = sun_clear_sky(&sky->sun) *
		      transmission(solar, sky->clouds, time_us);
	sky->plane = sun_on_plane(
		&sky->sun, sky->global, TILT, place->latitude < 0 ? 0 : 180);
}

/* Steady state: how hot the modules would get (NOCT 45 degrees). */
static double
module_heat(const void *context, int64_t time_us)
{
	const struct solar *solar = context;
	struct sky sky;

	look_at_sky(solar, time_us, &sky);
	return sim_air_temperature(&solar->place, time_us) +
	       sky.plane * (45.0 - 20.0) / 800.0;
}

/* Modules are sorted, yet no two groups are quite the same. */
static double
group_factor(const struct solar *solar, int unit, enum channel channel)
{
	return 1 +
	       0.03 * (noise_uniform(solar->place.seed, channel, unit) - 0.5);
}

static double
dc_watts(const struct solar *solar, int unit, double plane, double module)
{
	return PEAK_W * group_factor(solar, unit, MODULES) * plane / 1000 *
	       (1 - 0.0038 * (module - 25));
}

/* Own consumption, voltage drop and resistance: the efficiency curve. */
static double
ac_watts(double dc)
{
	double load = dc / NOMINAL_W;
	double loss = 0.0035 + 0.009 * load + 0.011 * load * load;

	return sim_clamp((load - loss) * NOMINAL_W, 0, NOMINAL_W);
}

static bool
in_fault(const struct solar *solar, int unit, int64_t time_us)
{
	const struct sim_spell spell = {
		.channel = (uint64_t)unit,
		.block_us = 16 * CLOCK_HOUR_US,
		.chance = 0.10,
		.shortest_us = 6 * CLOCK_MINUTE_US,
		.longest_us = 50 * CLOCK_MINUTE_US,
	};
	uint64_t number;

	return sim_spell(&solar->place, &spell, time_us, &number);
}

static enum state
find_state(const struct solar *solar, int unit, double plane, int64_t time_us)
{
	if (plane < NIGHT_WM2)
		return STATE_NIGHT;
	if (in_fault(solar, unit, time_us))
		return STATE_FAULT;
	return plane < WAKE_WM2 ? STATE_STARTING : STATE_RUNNING;
}

/* Every unit, for the meter: weather of the middle of the park. */
static void
slot_power(const void *context, int64_t time_us, double *watts)
{
	const struct solar *solar = context;
	struct sky sky;
	double module;

	look_at_sky(solar, time_us, &sky);
	module = sim_air_temperature(&solar->place, time_us) +
		 sky.plane * 0.03125;
	for (int i = 0; i < INVERTERS; i++)
		watts[i] = find_state(solar, i, sky.plane, time_us) ==
					   STATE_RUNNING
				   ? ac_watts(dc_watts(
					     solar, i, sky.plane, module))
				   : 0;
}

static double
inverter_heat(const void *context, int64_t time_us)
{
	const struct inverter *inverter = context;
	const struct solar *solar = inverter->solar;
	struct sky sky;
	double air = sim_air_temperature(&solar->place, time_us);
	double load = 0;

	look_at_sky(solar, time_us, &sky);
	if (find_state(solar, inverter->number, sky.plane, time_us) ==
		STATE_RUNNING)
		load = ac_watts(dc_watts(solar, inverter->number, sky.plane,
			       air + sky.plane * 0.03125)) /
		       NOMINAL_W;
	return air + 6 + 31 * load +
	       2 * group_factor(solar, inverter->number, MODULES);
}

static void *
solar_open(struct arena *arena, const struct sim_place *place)
{
	struct solar *solar = arena_alloc(arena, sizeof(*solar));

	solar->place = *place;
	solar->modules = (struct lag){.target = module_heat,
		.context = solar,
		.step_us = MODULE_STEP};
	for (int i = 0; i < INVERTERS; i++)
		solar->inverters[i] = (struct inverter){.solar = solar,
			.number = i,
			.heat = {.target = inverter_heat,
				.context = &solar->inverters[i],
				.step_us = 2 * MODULE_STEP}};
	solar->meter = (struct sim_meter){.power = slot_power,
		.context = solar,
		.units = INVERTERS,
		.slot_us = SLOT_US};
	return solar;
}

static const char *
name_weather(const struct sky *sky)
{
	if (sky->sun.elevation <= -0.8)
		return "night";
	if (sky->clouds < 0.2)
		return "clear";
	if (sky->clouds < 0.5)
		return "sunny with clouds";
	return sky->clouds < 0.8 ? "cloudy" : "overcast";
}

static double
wind_speed(const struct solar *solar, int64_t time_us)
{
	return fmax(0, 3.2 + 2.4 * noise(solar, WIND_SLOW, time_us, 2e4) +
			       0.9 * noise(solar, WIND_FAST, time_us, 40));
}

/* One inverter under its own piece of sky. Returns its power in W. */
static double
compute_unit(struct solar *solar, int unit, double module, int64_t time_us,
	struct value *values)
{
	int64_t local_us = time_us - unit * SHADOW_LAG_US;
	struct sky sky;
	enum state state;
	double dc = 0;
	double ac = 0;
	double volts;
	double share;

	look_at_sky(solar, local_us, &sky);
	state = find_state(solar, unit, sky.plane, time_us);
	if (state == STATE_RUNNING) {
		dc = dc_watts(solar, unit, sky.plane, module);
		ac = ac_watts(dc);
		if (ac >= NOMINAL_W) {
			state = STATE_LIMITED;
			dc = NOMINAL_W * 1.0235;
		}
	}
	volts = (690 - 2.1 * (module - 25)) * (1 - exp(-sky.plane / 22)) *
			group_factor(solar, unit, VOLTAGE) +
		(dc > 0 ? -38 : 0) +
		1.5 * noise(solar, VOLTAGE, time_us + unit * 77777777, 12) *
			(sky.plane > NIGHT_WM2);
	volts = fmax(0, volts);
	share = 0.5 * group_factor(solar, unit, STRINGS);
	values[UNIT_STATE] = sim_int(state);
	values[UNIT_POWER] = sim_float(ac / 1000);
	values[UNIT_VOLTAGE] = sim_float(volts);
	values[UNIT_CURRENT] = sim_float(dc > 0 ? dc / volts : 0);
	values[UNIT_STRING1] = sim_float(dc > 0 ? share * dc / volts : 0);
	values[UNIT_STRING2] = sim_float(dc > 0 ? (1 - share) * dc / volts : 0);
	values[UNIT_TEMPERATURE] =
		sim_float(lag_at(&solar->inverters[unit].heat, time_us));
	return ac;
}

static void
compute_site(struct solar *solar, int64_t time_us, double module,
	struct value *values)
{
	struct sky sky;

	look_at_sky(solar, time_us, &sky);
	values[SITE_IRRADIANCE] = sim_float(sky.plane);
	values[SITE_HORIZONTAL] = sim_float(sky.global);
	values[SITE_TEMPERATURE] =
		sim_float(sim_air_temperature(&solar->place, time_us));
	values[SITE_MODULE_TEMPERATURE] = sim_float(module);
	values[SITE_WIND] = sim_float(wind_speed(solar, time_us));
	values[SITE_ELEVATION] = sim_float(sky.sun.elevation);
	values[SITE_AZIMUTH] = sim_float(sky.sun.azimuth);
	values[SITE_CLOUDS] = sim_float(100 * sky.clouds);
	values[SITE_CONNECTED] = sim_bool(true);
	values[SITE_WEATHER] = sim_text(name_weather(&sky));
}

static void
solar_compute(void *state, int64_t time_us, struct value *values)
{
	struct solar *solar = state;
	double module = lag_at(&solar->modules, time_us);
	double watts = 0;
	int64_t wh[INVERTERS];
	int64_t total_wh = 0;
	int64_t today_wh;
	int64_t running = 0;
	double possible;

	compute_site(solar, time_us, module, values);
	sim_meter_read(&solar->meter, time_us,
		sim_midnight(&solar->place, time_us), wh, &today_wh);
	for (int i = 0; i < INVERTERS; i++) {
		struct value *unit = values + SITE_COUNT + i * UNIT_COUNT;
		double ac = compute_unit(solar, i, module, time_us, unit);

		unit[UNIT_ENERGY] = sim_int(wh[i]);
		total_wh += wh[i];
		watts += ac;
		running += ac > 0;
	}
	possible = PEAK_W * INVERTERS * values[SITE_IRRADIANCE].number / 1000;
	values[SITE_POWER] = sim_float(watts / 1000);
	values[SITE_RATIO] = sim_float(
		possible > 10000 ? sim_clamp(100 * watts / possible, 0, 120)
				 : 0);
	values[SITE_ENERGY_TODAY] = sim_float((double)today_wh / 1000);
	values[SITE_ENERGY_TOTAL] = sim_int(total_wh);
	values[SITE_RUNNING] = sim_int(running);
}

const struct sim_model sim_solar = {
	.name = "solar",
	.site_prefix = "site",
	.unit_prefix = "inverter",
	.units = INVERTERS,
	.site = site_signals,
	.site_count = SITE_COUNT,
	.unit = unit_signals,
	.unit_count = UNIT_COUNT,
	.open = solar_open,
	.compute = solar_compute,
};
