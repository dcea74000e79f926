/*
 * sim: plants that exist as physical models only.
 *
 * A model has signals of the site and signals of its units, addressed as
 * site_prefix/name and unit_prefixNN/name. What it computes depends on seed,
 * place and time alone, so a restart changes no value; only set points that
 * somebody wrote are as at the start again.
 */
#ifndef FG_AGENTS_SIM_H
#define FG_AGENTS_SIM_H

#include "lib/arena.h"
#include "model/sample.h"

#define SIM_UNITS_MAX 16
/* The plants were built on 2025-01-01: their counters start there. */
#define SIM_BUILT_US INT64_C(1735689600000000)

struct sim_signal {
	const char *name;
	enum value_kind kind;
};

struct sim_place {
	uint64_t seed;
	double latitude; /* degrees; north and east are positive */
	double longitude;
};

struct sim_model {
	const char *name;
	const char *site_prefix;
	const char *unit_prefix;
	int units;
	const struct sim_signal *site;
	size_t site_count;
	const struct sim_signal *unit;
	size_t unit_count;
	/* The state lives in "arena". */
	void *(*open)(struct arena *arena, const struct sim_place *place);
	/*
	 * Fill values: the site's signals, then those of each unit. Text
	 * points to constants or into the state, until the next call.
	 */
	void (*compute)(void *state, int64_t time_us, struct value *values);
	/* Set the signal with that place among the values, at "time_us"; false
	 * when it is not one that can be set. NULL: none can. */
	bool (*set)(void *state, size_t signal, const struct value *value,
		int64_t time_us);
};

extern const struct sim_model sim_solar;
extern const struct sim_model sim_wind;

/* Degrees Celsius of the air: season, time of day and weather. */
double sim_air_temperature(const struct sim_place *place, int64_t time_us);

/* Midnight at the plant (mean solar time) at or before "time_us". */
int64_t sim_midnight(const struct sim_place *place, int64_t time_us);

/*
 * Something that happens to a unit now and then: at most one spell in every
 * "block_us" of time, with "chance", lasting between the two durations.
 * Returns whether a spell is on at "time_us"; "number" tells it apart.
 */
struct sim_spell {
	uint64_t channel;
	int64_t block_us;
	double chance;
	int64_t shortest_us;
	int64_t longest_us;
};
bool sim_spell(const struct sim_place *place, const struct sim_spell *spell,
	int64_t time_us, uint64_t *number);

/* Energy up to the start of a slot, and the power of the units in it. */
struct sim_sum {
	int64_t slots; /* that are summed */
	bool started;
	double wh[SIM_UNITS_MAX];
	double watts[SIM_UNITS_MAX];
};

/*
 * Energy counters as a pure function of time: the power of every unit at the
 * middle of each slot, summed since SIM_BUILT_US.
 */
struct sim_meter {
	void (*power)(const void *context, int64_t time_us, double *watts);
	const void *context;
	int units;
	int64_t slot_us;
	struct sim_sum now;
	struct sim_sum midnight;
};

/* Whole Wh of each unit at "time_us", and of all since "midnight_us". */
void sim_meter_read(struct sim_meter *meter, int64_t time_us,
	int64_t midnight_us, int64_t *wh, int64_t *today_wh);

static inline double
sim_clamp(double number, double low, double high)
{
	return number < low ? low : number > high ? high : number;
}

static inline struct value
sim_float(double number)
{
	return (struct value){.kind = VALUE_FLOAT, .number = number};
}

static inline struct value
sim_int(int64_t number)
{
	return (struct value){.kind = VALUE_INT, .integer = number};
}

static inline struct value
sim_bool(bool truth)
{
	return (struct value){.kind = VALUE_BOOL, .boolean = truth};
}

struct value sim_text(const char *text);

#endif
