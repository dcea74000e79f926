/* alarm_engine_parts: what the files of the alarm engine share. */
#ifndef FG_MODEL_ALARM_ENGINE_PARTS_H
#define FG_MODEL_ALARM_ENGINE_PARTS_H

#include "lib/clock.h"
#include "model/alarm_engine.h"

/* Times beyond, either way, are nobody's; sums with delays stay numbers. */
#define ALARM_TIME_MAX_US (INT64_MAX / 4)

/* Odd: the condition holds. From FALLING on: a delay is under way. */
enum alarm_phase {
	PHASE_NORMAL = 0,
	PHASE_ACTIVE = 1,
	PHASE_FALLING = 2, /* active, and the off-delay runs */
	PHASE_RISING = 3,  /* not active yet, the on-delay runs */
};

enum alarm_test {
	TEST_NUMBER,
	TEST_BIT,
	TEST_STATUS,
	TEST_MATCH,
	TEST_CHANGE,
};

/* What every sample looks at: one cache line. */
struct alarm_rule {
	double low[2]; /* outside of low..high; [1] while the condition holds */
	double high[2];
	int64_t begin_us; /* source time: of the delay */
	int64_t due_us;   /* steady: when it is over without a sample */
	uint8_t test;     /* enum alarm_test */
	uint8_t phase;    /* enum alarm_phase */
	uint8_t bit;
	bool inverted;   /* inside of low..high */
	bool alert;      /* look closely though nothing seems to change */
	bool each;       /* limit->each_change */
	bool uncertain;  /* bad quality came since the last good value */
	bool suppressed; /* by design */
	bool loaded;     /* what was before the next sample is not known */
};

/* A value with memory of its own. */
struct alarm_held {
	struct value value; /* the text of a string is "text" */
	char *text;
	size_t room;
};

/* What is looked at only when something happens. */
struct alarm_course {
	struct alarm_limit limit; /* texts in engine->definitions */
	int32_t variable_id;
	enum value_kind kind;
	const char *unit;
	int decimals;
	int32_t suppressor_id;

	uint8_t id[UUID_BYTES]; /* of the last alarm; came_us NEVER: none */
	int64_t came_us;
	int64_t went_us;
	int64_t reactivated_us;
	uint32_t reactivations;
	bool chattering;
	uint64_t status;
	struct alarm_held value;
	int64_t comes[ALARM_CHATTER_COUNT]; /* the last ones, oldest first */
	struct alarm_held last; /* of a change; or while the on-delay runs */
	uint64_t last_status;
};

/* The rules of one variable, and those that it suppresses. */
struct alarm_slot {
	uint32_t first;
	uint32_t count;
	uint32_t first_gate;
	uint32_t gate_count;
	enum value_kind kind;
};

struct alarm_engine {
	struct arena *definitions;
	struct alarm_rule *rules; /* by variable_id */
	struct alarm_course *courses;
	size_t count;
	struct alarm_slot *slots; /* by variable_id */
	int32_t id_max;
	uint32_t *gates;   /* indexes of rules, by suppressor */
	uint32_t *by_name; /* indexes of rules, by variable and limit */

	struct alarm_change *changes;
	const char **variables; /* of the changes */
	size_t change_count;
	size_t change_room;
	struct arena *words; /* of the changes */

	int64_t next_due_us; /* steady: no delay is over before */
	int64_t latest_us;   /* the highest source time */
	uint64_t version;
};

/* Keep a copy of the value. */
void alarm_held_take(struct alarm_held *held, const struct value *value);

/* Add a change, with texts of its own. */
void alarm_tell(struct alarm_engine *engine, const char *variable,
	const struct alarm_change *change);

/* Add the state of the rule's alarm to the changes. */
void alarm_emit(struct alarm_engine *engine, size_t index,
	enum alarm_change_kind kind, int64_t time_us);

/* The alarm goes. */
void alarm_go(struct alarm_engine *engine, size_t index, int64_t time_us);

/* The rule of that name; SIZE_MAX when there is none. */
size_t alarm_rule_find(const struct alarm_engine *engine, const char *variable,
	const char *limit);

static inline bool
alarm_is_on(const struct alarm_rule *rule)
{
	return rule->phase == PHASE_ACTIVE || rule->phase == PHASE_FALLING;
}

/* Would the next violation bring the same alarm back? */
static inline bool
alarm_may_return(const struct alarm_course *course)
{
	return course->limit.reactivates && course->limit.must_acknowledge &&
	       course->came_us != CLOCK_NEVER && course->went_us != CLOCK_NEVER;
}

#endif
