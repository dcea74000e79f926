/*
 * alarm_limit: the definition of one limit of a variable.
 *
 * What an alarm is raised for and what it says; doc/ALARMS.md has the meaning
 * of each part. No SQL here: agents read limits too. One table of columns
 * serves the JSON form, the CSV form and the words of every refusal.
 */
#ifndef FG_MODEL_ALARM_LIMIT_H
#define FG_MODEL_ALARM_LIMIT_H

#include "lib/field.h"
#include "lib/jsonw.h"
#include "model/sample.h"

#define ALARM_LIMITS_MAX            30000 /* of one datasource */
#define ALARM_LIMIT_NAME_BYTES_MAX  64
#define ALARM_LIMIT_TEXT_BYTES_MAX  512
#define ALARM_LIMIT_MATCH_BYTES_MAX 256
#define ALARM_LIMIT_AREAS_MAX       4
#define ALARM_LIMIT_AREA_BYTES_MAX  128
#define ALARM_LIMIT_DELAY_MS_MAX    86400000
#define ALARM_LIMIT_NUMBER_MAX      65535 /* of a class or a group */

/* Also the column alarm_limit.condition. */
enum alarm_condition {
	ALARM_GREATER = 1, /* than value */
	ALARM_LESS = 2,
	ALARM_EQUAL = 3,   /* to value, or to match */
	ALARM_RANGE = 4,   /* from low to high, both included */
	ALARM_OUTSIDE = 5, /* below low or above high */
	ALARM_BIT = 6,     /* number "value" of an int is set */
	ALARM_CHANGE = 7,  /* any change of the value */
	ALARM_STATUS = 8,  /* bit number "value" of the status is set */
};

enum alarm_origin {
	ALARM_ORIGIN_AGENT = 1, /* declared from an agent's limits CSV */
	ALARM_ORIGIN_HUB = 2,   /* engineered at the hub */
};

enum alarm_evaluator {
	ALARM_BY_DEFAULT = 0, /* the agent when one publishes the variable */
	ALARM_BY_AGENT = 1,
	ALARM_BY_HUB = 2,
};

struct alarm_limit {
	const char *variable; /* name */
	const char *name;     /* unique within the variable */
	enum alarm_condition condition;
	double value;
	const char *match; /* NULL, or the text a string is compared with */
	double low;        /* range, outside; else NAN */
	double high;
	double hysteresis; /* of numbers; 0 = none */
	int64_t on_delay_ms;
	int64_t off_delay_ms;
	const char *text; /* may hold {value}, {unit}, {limit}; "" = name */
	int64_t class_number;
	int64_t group_number;
	struct texts areas;
	int64_t priority; /* 1 (highest) to 4 */
	bool must_acknowledge;
	bool comment_required;
	bool cause_required;
	bool each_change; /* of a violating value is a new occurrence */
	bool reactivates; /* instead of a new occurrence */
	const char *suppressed_by; /* name of a bool variable; "" = none */
	bool enabled;
	enum alarm_origin origin;
	enum alarm_evaluator evaluated_by;
};

struct alarm_limit_list {
	size_t count;
	const struct alarm_limit *items;
};

/* The columns, in the order in which they are written. */
enum alarm_limit_column {
	ALARM_LIMIT_VARIABLE,
	ALARM_LIMIT_NAME,
	ALARM_LIMIT_CONDITION,
	ALARM_LIMIT_VALUE,
	ALARM_LIMIT_LOW,
	ALARM_LIMIT_HIGH,
	ALARM_LIMIT_HYSTERESIS,
	ALARM_LIMIT_ON_DELAY,
	ALARM_LIMIT_OFF_DELAY,
	ALARM_LIMIT_TEXT,
	ALARM_LIMIT_CLASS,
	ALARM_LIMIT_GROUP,
	ALARM_LIMIT_AREAS,
	ALARM_LIMIT_PRIORITY,
	ALARM_LIMIT_MUST_ACKNOWLEDGE,
	ALARM_LIMIT_COMMENT_REQUIRED,
	ALARM_LIMIT_CAUSE_REQUIRED,
	ALARM_LIMIT_EACH_CHANGE,
	ALARM_LIMIT_REACTIVATES,
	ALARM_LIMIT_SUPPRESSED_BY,
	ALARM_LIMIT_ENABLED,
	ALARM_LIMIT_EVALUATED_BY,
	ALARM_LIMIT_COLUMNS
};

/* "on_delay_ms" in a CSV file, "onDelayMs" in JSON. */
const char *alarm_limit_column(enum alarm_limit_column column);
const char *alarm_limit_member(enum alarm_limit_column column);

/* What is wrong with a limit, and where. */
struct alarm_limit_flaw {
	enum alarm_limit_column column;
	const char *why; /* "must be above low" */
};

/* What a limit is before anything is said of it. */
struct alarm_limit alarm_limit_default(void);

/* Take away what its condition has none of: value, bounds, hysteresis,
 * on-delay. */
void alarm_limit_fit(struct alarm_limit *limit);

/*
 * Check everything that can be known of a limit by itself, for a variable of
 * "kind", and make its value what the kind needs: a number, or a text of a
 * string variable. False: the flaw is told.
 */
MUST_CHECK bool alarm_limit_settle(struct alarm_limit *limit,
	enum value_kind kind, struct alarm_limit_flaw *flaw);

/* RC_BAD_INPUT with the member as the field; "path" as for field_read. */
enum rc alarm_limit_refuse(const struct alarm_limit_flaw *flaw,
	const char *path, struct fault *fault);

/*
 * The members of a JSON object into "limit"; those that are absent keep what
 * it had. Not settled. Owns: texts live in "arena".
 * Fails: RC_BAD_INPUT.
 */
MUST_CHECK enum rc alarm_limit_read(struct arena *arena,
	struct json_object *object, const char *path, struct alarm_limit *limit,
	struct fault *fault);

/* Its members, into an object that is open. */
void alarm_limit_write(struct jsonw *json, const struct alarm_limit *limit);

/* One cell of a CSV row; not settled. False: the flaw is told. */
MUST_CHECK bool alarm_limit_take(struct arena *arena,
	enum alarm_limit_column column, const char *text,
	struct alarm_limit *limit, struct alarm_limit_flaw *flaw);

/* The cell that alarm_limit_take reads as the same, in "arena". */
const char *alarm_limit_cell(struct arena *arena,
	const struct alarm_limit *limit, enum alarm_limit_column column);

/* "greater"; 0 when there is none of that name. */
const char *alarm_condition_name(enum alarm_condition condition);
enum alarm_condition alarm_condition_parse(const char *name);

/* "agent", "hub", and "" for the default; false when unknown. */
const char *alarm_evaluator_name(enum alarm_evaluator evaluator);
MUST_CHECK bool alarm_evaluator_parse(
	const char *name, enum alarm_evaluator *evaluator);

#endif
