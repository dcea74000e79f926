/* sim_wind: a wind park of ten turbines of 2 MW. */

#include "agents/sim_wind.h"

#include <math.h>
#include <stdio.h>

#include "agents/noise.h"
#include "agents/sim.h"
#include "lib/clock.h"

#define TURBINES      10
#define RATED_W       2050000.0
#define CUT_IN        3.0 /* m/s */
#define RATED_WIND    12.5
#define CUT_OUT       24.0
#define STORM_WIND    20.0
#define ROTOR_SLOW    7.8 /* revolutions a minute */
#define ROTOR_FAST    15.0
#define GEAR_RATIO    120.0
#define ROTOR_RADIUS  46.0 /* m */
#define SPACING       480.0
#define FEATHERED     88.0 /* degrees of pitch */
#define START_STEPS   10   /* a start takes 90 s */
#define START_STEP_US (9 * CLOCK_SECOND_US)
#define SLOT_US       (20 * CLOCK_MINUTE_US)
#define GEAR_STEP     (60 * CLOCK_SECOND_US) /* time constant 24 minutes */
#define YAW_STEP      (5 * CLOCK_SECOND_US)  /* time constant 2 minutes */
#define DEGREE        0.017453292519943295
#define LIMIT_RATE_W                                                           \
	500000.0         /* the park follows its set point by so much /s       \
			  */
#define LIMIT_PITCH 25.0 /* degrees that hold all power back */

enum site_signal {
	PARK_POWER,
	PARK_WIND,
	PARK_DIRECTION,
	PARK_TEMPERATURE,
	PARK_ENERGY_TODAY,
	PARK_ENERGY_TOTAL,
	PARK_AVAILABILITY,
	PARK_RUNNING,
	PARK_STORM,
	PARK_MESSAGE,
	PARK_LIMIT,
	PARK_COUNT
};

enum unit_signal {
	UNIT_STATE,
	UNIT_POWER,
	UNIT_WIND,
	UNIT_ROTOR,
	UNIT_GENERATOR,
	UNIT_PITCH,
	UNIT_GEAR,
	UNIT_BEARING,
	UNIT_NACELLE,
	UNIT_ENERGY,
	UNIT_COUNT
};

static const struct sim_signal site_signals[] = {
	[PARK_POWER] = {"power", VALUE_FLOAT},
	[PARK_WIND] = {"wind_speed", VALUE_FLOAT},
	[PARK_DIRECTION] = {"wind_direction", VALUE_FLOAT},
	[PARK_TEMPERATURE] = {"temperature", VALUE_FLOAT},
	[PARK_ENERGY_TODAY] = {"energy_today", VALUE_FLOAT},
	[PARK_ENERGY_TOTAL] = {"energy_total", VALUE_INT},
	[PARK_AVAILABILITY] = {"availability", VALUE_FLOAT},
	[PARK_RUNNING] = {"running", VALUE_INT},
	[PARK_STORM] = {"storm", VALUE_BOOL},
	[PARK_MESSAGE] = {"message", VALUE_STRING},
	[PARK_LIMIT] = {"power_limit", VALUE_FLOAT},
};

static const struct sim_signal unit_signals[] = {
	[UNIT_STATE] = {"state", VALUE_INT},
	[UNIT_POWER] = {"power", VALUE_FLOAT},
	[UNIT_WIND] = {"wind_speed", VALUE_FLOAT},
	[UNIT_ROTOR] = {"rotor_speed", VALUE_FLOAT},
	[UNIT_GENERATOR] = {"generator_speed", VALUE_FLOAT},
	[UNIT_PITCH] = {"pitch", VALUE_FLOAT},
	[UNIT_GEAR] = {"gear_temperature", VALUE_FLOAT},
	[UNIT_BEARING] = {"bearing_temperature", VALUE_FLOAT},
	[UNIT_NACELLE] = {"nacelle_direction", VALUE_FLOAT},
	[UNIT_ENERGY] = {"energy_total", VALUE_INT},
};

static const char *const fault_texts[] = {
	"gear oil pressure is low",
	"pitch battery voltage is low",
	"converter temperature is high",
	"yaw brake wear",
	"vibration of the tower",
	"grid voltage dip",
};

enum state {
	STATE_STOPPED,
	STATE_STARTING,
	STATE_RUNNING,
	STATE_FAULT,
	STATE_SERVICE
};

/* Numbers of the random courses; those of a turbine add 10 for each. */
enum channel {
	WIND_DAYS = 1,
	WIND_HOURS,
	WIND_MINUTES,
	DIRECTION_DAYS,
	DIRECTION_HOURS,
	GUST_SLOW = 100,
	GUST,
	GUST_FAST,
	GUST_TIP
};

/* The wind before it meets a turbine. */
struct weather {
	double speed;
	double direction; /* not wrapped: it may pass 360 */
};

struct wind;

struct turbine {
	const struct wind *wind;
	int number;
	struct lag gear;
	struct lag bearing;
	struct lag nacelle;
};

struct wind {
	struct sim_place place;
	struct turbine turbines[TURBINES];
	struct sim_meter meter;
	char message[96];
	double limit_w;   /* set point: the most that the park may feed */
	double reached_w; /* how far the park has followed it */
	int64_t moved_us; /* when it last moved; 0 = not yet */
};

double
sim_power_curve(double speed)
{
	double x = (speed - CUT_IN) / (RATED_WIND - CUT_IN);

	if (speed < CUT_IN || speed >= CUT_OUT)
		return 0;
	if (speed >= RATED_WIND)
		return RATED_W;
	/* Nearly the cube of the wind, rounded off towards rated power. */
	return RATED_W * (x * x * (3 - 2 * x)) * (0.72 + 0.28 * x);
}

static double
noise(const struct wind *wind, int channel, int64_t time_us, double period_s)
{
	return noise_smooth(
		wind->place.seed, (uint64_t)channel, time_us, period_s);
}

/* Means of some minutes: what decides about starts and stops. */
static struct weather
look_at_weather(const struct wind *wind, int64_t time_us)
{
	double speed = 8.6 + 5.2 * noise(wind, WIND_DAYS, time_us, 1.5e5) +
		       2.8 * noise(wind, WIND_HOURS, time_us, 1.7e4) +
		       1.0 * noise(wind, WIND_MINUTES, time_us, 1900);

	return (struct weather){
		.speed = fmax(0.2, speed),
		.direction = 235 +
			     75 * noise(wind, DIRECTION_DAYS, time_us, 2.1e5) +
			     18 * noise(wind, DIRECTION_HOURS, time_us, 9e3),
	};
}

/* Two rows of five, the second one shifted by half a space. */
static void
place_turbine(int unit, double *east, double *north)
{
	*east = (unit % 5 + (unit >= 5 ? 0.5 : 0)) * SPACING;
	*north = unit >= 5 ? SPACING * 0.9 : 0;
}

/* Speed left behind the turbines upwind (Jensen's wake). */
static double
wake_factor(int unit, double direction)
{
	double toward_east = -sin(DEGREE * direction);
	double toward_north = -cos(DEGREE * direction);
	double east;
	double north;
	double squares = 0;

	place_turbine(unit, &east, &north);
	for (int other = 0; other < TURBINES; other++) {
		double other_east;
		double other_north;
		double along;
		double across;
		double radius;
		double edge;

		place_turbine(other, &other_east, &other_north);
		along = (east - other_east) * toward_east +
			(north - other_north) * toward_north;
		if (along <= ROTOR_RADIUS)
			continue;
		across = fabs((east - other_east) * toward_north -
			      (north - other_north) * toward_east);
		radius = ROTOR_RADIUS + 0.075 * along;
		edge = sim_clamp(
			(radius + ROTOR_RADIUS - across) / (2 * ROTOR_RADIUS),
			0, 1);
		squares += pow(edge * 0.55 * pow(ROTOR_RADIUS / radius, 2), 2);
	}
	return 1 - sqrt(squares);
}

/* Gusts that the rotor as a whole feels. */
static double
gust_factor(const struct wind *wind, int unit, int64_t time_us)
{
	int channel = 10 * unit;

	return 1 + 0.09 * noise(wind, channel + GUST_SLOW, time_us, 150) +
	       0.07 * noise(wind, channel + GUST, time_us, 45) +
	       0.04 * noise(wind, channel + GUST_FAST, time_us, 14);
}

static bool
in_fault(const struct wind *wind, int unit, int64_t time_us, uint64_t *number)
{
	const struct sim_spell spell = {
		.channel = (uint64_t)unit,
		.block_us = 12 * CLOCK_HOUR_US,
		.chance = 0.12,
		.shortest_us = 8 * CLOCK_MINUTE_US,
		.longest_us = 75 * CLOCK_MINUTE_US,
	};

	return sim_spell(&wind->place, &spell, time_us, number);
}

static bool
in_service(const struct wind *wind, int unit, int64_t time_us)
{
	const struct sim_spell spell = {
		.channel = 100 + (uint64_t)unit,
		.block_us = 10 * CLOCK_DAY_US,
		.chance = 0.5,
		.shortest_us = 2 * CLOCK_HOUR_US,
		.longest_us = 6 * CLOCK_HOUR_US,
	};
	uint64_t number;

	return sim_spell(&wind->place, &spell, time_us, &number);
}

static bool
may_run(const struct wind *wind, int unit, int64_t time_us)
{
	uint64_t number;
	double speed = look_at_weather(wind, time_us).speed;

	return speed > CUT_IN + 0.3 && speed < CUT_OUT - 0.5 &&
	       !in_fault(wind, unit, time_us, &number) &&
	       !in_service(wind, unit, time_us);
}

/* 0 at rest, 1 at speed: the share of the last 90 s with leave to run. */
static double
find_ramp(const struct wind *wind, int unit, int64_t time_us)
{
	int steps = 0;

	for (int i = 0; i < START_STEPS; i++)
		steps += may_run(wind, unit, time_us - i * START_STEP_US);
	return (double)steps / START_STEPS;
}

static enum state
find_state(const struct wind *wind, int unit, double ramp, int64_t time_us)
{
	uint64_t number;

	if (in_fault(wind, unit, time_us, &number))
		return STATE_FAULT;
	if (in_service(wind, unit, time_us))
		return STATE_SERVICE;
	if (!may_run(wind, unit, time_us))
		return STATE_STOPPED;
	return ramp < 1 ? STATE_STARTING : STATE_RUNNING;
}

static double
rotor_speed(double speed, double ramp)
{
	double x = (speed - CUT_IN) / (RATED_WIND - 1.5 - CUT_IN);

	return ramp *
	       (ROTOR_SLOW + (ROTOR_FAST - ROTOR_SLOW) * sim_clamp(x, 0, 1));
}

/* The generator is connected in the second half of a start. */
static double
power_share(double ramp)
{
	return sim_clamp(2 * ramp - 1, 0, 1);
}

static double
wind_at(const struct wind *wind, int unit, int64_t time_us)
{
	struct weather weather = look_at_weather(wind, time_us);

	return weather.speed * wake_factor(unit, weather.direction) *
	       gust_factor(wind, unit, time_us);
}

/* Every unit, for the meter. */
static void
slot_power(const void *context, int64_t time_us, double *watts)
{
	const struct wind *wind = context;
	struct weather weather = look_at_weather(wind, time_us);

	for (int i = 0; i < TURBINES; i++)
		watts[i] = may_run(wind, i, time_us)
				   ? sim_power_curve(
					     weather.speed *
					     wake_factor(i, weather.direction))
				   : 0;
}

static double
gear_heat(const void *context, int64_t time_us)
{
	const struct turbine *turbine = context;
	const struct wind *wind = turbine->wind;
	double air = sim_air_temperature(&wind->place, time_us);
	double load;

	if (!may_run(wind, turbine->number, time_us))
		return air + 8;
	load = sim_power_curve(look_at_weather(wind, time_us).speed) / RATED_W;
	return fmin(air, 20) + 33 + 22 * load + turbine->number % 4;
}

static double
bearing_heat(const void *context, int64_t time_us)
{
	const struct turbine *turbine = context;
	const struct wind *wind = turbine->wind;
	double air = sim_air_temperature(&wind->place, time_us);

	if (!may_run(wind, turbine->number, time_us))
		return air + 2;
	return air + 9 + turbine->number % 3 +
	       rotor_speed(look_at_weather(wind, time_us).speed, 1);
}

static double
nacelle_target(const void *context, int64_t time_us)
{
	const struct turbine *turbine = context;

	return look_at_weather(turbine->wind, time_us).direction +
	       3 * (turbine->number % 3 - 1);
}

static void *
wind_open(struct arena *arena, const struct sim_place *place)
{
	struct wind *wind = arena_alloc(arena, sizeof(*wind));

	wind->place = *place;
	wind->limit_w = wind->reached_w = TURBINES * RATED_W;
	for (int i = 0; i < TURBINES; i++) {
		struct turbine *turbine = &wind->turbines[i];

		turbine->wind = wind;
		turbine->number = i;
		turbine->gear = (struct lag){.target = gear_heat,
			.context = turbine,
			.step_us = GEAR_STEP};
		turbine->bearing = (struct lag){.target = bearing_heat,
			.context = turbine,
			.step_us = GEAR_STEP};
		turbine->nacelle = (struct lag){.target = nacelle_target,
			.context = turbine,
			.step_us = YAW_STEP};
	}
	wind->meter = (struct sim_meter){.power = slot_power,
		.context = wind,
		.units = TURBINES,
		.slot_us = SLOT_US};
	return wind;
}

static double
wrap(double degrees)
{
	double rest = fmod(degrees, 360);

	return rest < 0 ? rest + 360 : rest;
}

static double
pitch_angle(double speed, double ramp)
{
	double working =
		speed > RATED_WIND ? fmin(24, 1.9 * (speed - RATED_WIND)) : 0.4;

	return FEATHERED * (1 - ramp) + working * ramp;
}

/* Returns the power in W. */
static double
compute_unit(struct wind *wind, int unit, int64_t time_us, struct value *values)
{
	struct turbine *turbine = &wind->turbines[unit];
	double speed = wind_at(wind, unit, time_us);
	double ramp = find_ramp(wind, unit, time_us);
	double rotor = rotor_speed(speed, ramp);
	double watts =
		sim_power_curve(fmin(speed, CUT_OUT - 0.1)) * power_share(ramp);
	double tip = 0.05 * noise(wind, 10 * unit + GUST_TIP, time_us, 3);

	values[UNIT_STATE] = sim_int(find_state(wind, unit, ramp, time_us));
	values[UNIT_POWER] = sim_float(watts / 1000);
	values[UNIT_WIND] = sim_float(speed * (1 + tip));
	values[UNIT_ROTOR] = sim_float(rotor);
	values[UNIT_GENERATOR] = sim_float(rotor * GEAR_RATIO);
	values[UNIT_PITCH] = sim_float(pitch_angle(speed, ramp));
	values[UNIT_GEAR] = sim_float(lag_at(&turbine->gear, time_us));
	values[UNIT_BEARING] = sim_float(lag_at(&turbine->bearing, time_us));
	values[UNIT_NACELLE] =
		sim_float(wrap(lag_at(&turbine->nacelle, time_us)));
	return watts;
}

static struct value
compose_message(struct wind *wind, bool storm, int64_t time_us)
{
	uint64_t number;

	for (int i = 0; i < TURBINES; i++)
		if (in_fault(wind, i, time_us, &number)) {
			snprintf(wind->message, sizeof(wind->message),
				"Turbine %d: %s", i + 1,
				fault_texts[number %
					    ARRAY_LENGTH(fault_texts)]);
			return sim_text(wind->message);
		}
	if (storm)
		return sim_text("Storm: turbines may stop");
	for (int i = 0; i < TURBINES; i++)
		if (in_service(wind, i, time_us)) {
			snprintf(wind->message, sizeof(wind->message),
				"Turbine %d: service crew on site", i + 1);
			return sim_text(wind->message);
		}
	return sim_text("All turbines are available");
}

static void
compute_park(struct wind *wind, int64_t time_us, struct value *values)
{
	struct weather weather = look_at_weather(wind, time_us);
	bool storm = weather.speed > STORM_WIND;

	values[PARK_WIND] =
		sim_float(weather.speed *
			  (1 + 0.08 * noise(wind, GUST_TIP + 1, time_us, 25)));
	values[PARK_DIRECTION] = sim_float(wrap(weather.direction));
	values[PARK_TEMPERATURE] =
		sim_float(sim_air_temperature(&wind->place, time_us));
	values[PARK_STORM] = sim_bool(storm);
	values[PARK_MESSAGE] = compose_message(wind, storm, time_us);
}

/* From the limit in force towards the set point. */
static double
follow_limit(struct wind *wind, int64_t time_us)
{
	double seconds = wind->moved_us == 0 || time_us < wind->moved_us
				 ? 0
				 : (double)(time_us - wind->moved_us) /
					   (double)CLOCK_SECOND_US;
	double step = LIMIT_RATE_W * seconds;

	wind->moved_us = time_us;
	wind->reached_w +=
		sim_clamp(wind->limit_w - wind->reached_w, -step, step);
	return wind->reached_w;
}

/* Every turbine gives up the same share, by turning its blades. Returns what
 * is left of "watts". */
static double
hold_back(
	struct wind *wind, double watts, int64_t time_us, struct value *values)
{
	double limit = follow_limit(wind, time_us);
	double share = watts > limit ? limit / watts : 1;

	for (int i = 0; i < TURBINES && share < 1; i++) {
		struct value *unit = values + PARK_COUNT + i * UNIT_COUNT;

		if (unit[UNIT_POWER].number > 0)
			unit[UNIT_PITCH].number += LIMIT_PITCH * (1 - share);
		unit[UNIT_POWER].number *= share;
	}
	return watts * share;
}

static bool
wind_set(void *state, size_t signal, const struct value *value, int64_t time_us)
{
	struct wind *wind = state;

	if (signal != PARK_LIMIT || !(value->number >= 0))
		return false;
	follow_limit(wind, time_us); /* up to now it was the old one */
	wind->limit_w = value->number * 1000;
	return true;
}

static void
wind_compute(void *state, int64_t time_us, struct value *values)
{
	struct wind *wind = state;
	double watts = 0;
	int64_t wh[TURBINES];
	int64_t total_wh = 0;
	int64_t today_wh;
	int64_t running = 0;
	int available = 0;

	compute_park(wind, time_us, values);
	sim_meter_read(&wind->meter, time_us,
		sim_midnight(&wind->place, time_us), wh, &today_wh);
	for (int i = 0; i < TURBINES; i++) {
		struct value *unit = values + PARK_COUNT + i * UNIT_COUNT;
		double power = compute_unit(wind, i, time_us, unit);

		unit[UNIT_ENERGY] = sim_int(wh[i]);
		total_wh += wh[i];
		watts += power;
		running += power > 0;
		available += unit[UNIT_STATE].integer <= STATE_RUNNING;
	}
	watts = hold_back(wind, watts, time_us, values);
	values[PARK_LIMIT] = sim_float(wind->limit_w / 1000);
	values[PARK_POWER] = sim_float(watts / 1000);
	values[PARK_ENERGY_TODAY] = sim_float((double)today_wh / 1000);
	values[PARK_ENERGY_TOTAL] = sim_int(total_wh);
	values[PARK_AVAILABILITY] = sim_float(100.0 * available / TURBINES);
	values[PARK_RUNNING] = sim_int(running);
}

const struct sim_model sim_wind = {
	.name = "wind",
	.site_prefix = "park",
	.unit_prefix = "wt",
	.units = TURBINES,
	.site = site_signals,
	.site_count = PARK_COUNT,
	.unit = unit_signals,
	.unit_count = UNIT_COUNT,
	.open = wind_open,
	.compute = wind_compute,
	.set = wind_set,
};
