/* alarm_limit: the definition of one limit of a variable. */

#include "model/alarm_limit.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "lib/utf8.h"
#include "lib/word.h"

#define NAME_OF_VARIABLE_BYTES 256
#define BIT_MAX                63

static const char *const conditions[] = {
	[ALARM_GREATER] = "greater",
	[ALARM_LESS] = "less",
	[ALARM_EQUAL] = "equal",
	[ALARM_RANGE] = "range",
	[ALARM_OUTSIDE] = "outside",
	[ALARM_BIT] = "bit",
	[ALARM_CHANGE] = "change",
	[ALARM_STATUS] = "status",
};

static const char *const evaluators[] = {
	[ALARM_BY_DEFAULT] = "",
	[ALARM_BY_AGENT] = "agent",
	[ALARM_BY_HUB] = "hub",
};

const char *
alarm_condition_name(enum alarm_condition condition)
{
	return conditions[condition];
}

enum alarm_condition
alarm_condition_parse(const char *name)
{
	for (size_t i = 1; i < ARRAY_LENGTH(conditions); i++)
		if (strcasecmp(name, conditions[i]) == 0)
			return (enum alarm_condition)i;
	return (enum alarm_condition)0;
}

const char *
alarm_evaluator_name(enum alarm_evaluator evaluator)
{
	return evaluators[evaluator];
}

bool
alarm_evaluator_parse(const char *name, enum alarm_evaluator *evaluator)
{
	for (size_t i = 0; i < ARRAY_LENGTH(evaluators); i++)
		if (strcasecmp(name, evaluators[i]) == 0) {
			*evaluator = (enum alarm_evaluator)i;
			return true;
		}
	return false;
}

struct alarm_limit
alarm_limit_default(void)
{
	return (struct alarm_limit){
		.variable = "",
		.name = "",
		.value = NAN,
		.low = NAN,
		.high = NAN,
		.text = "",
		.priority = 3,
		.must_acknowledge = true,
		.suppressed_by = "",
		.enabled = true,
		.origin = ALARM_ORIGIN_HUB,
	};
}

/* --- settling ------------------------------------------------------------- */

static bool
flawed(struct alarm_limit_flaw *flaw, enum alarm_limit_column column,
	const char *why)
{
	*flaw = (struct alarm_limit_flaw){column, why};
	return false;
}

static bool
is_number_kind(enum value_kind kind)
{
	return kind == VALUE_FLOAT || kind == VALUE_INT;
}

static bool
takes_value(enum alarm_condition condition)
{
	return condition == ALARM_GREATER || condition == ALARM_LESS ||
	       condition == ALARM_EQUAL || condition == ALARM_BIT ||
	       condition == ALARM_STATUS;
}

static bool
takes_bounds(enum alarm_condition condition)
{
	return condition == ALARM_RANGE || condition == ALARM_OUTSIDE;
}

static bool
takes_hysteresis(enum alarm_condition condition)
{
	return takes_bounds(condition) || condition == ALARM_GREATER ||
	       condition == ALARM_LESS || condition == ALARM_EQUAL;
}

void
alarm_limit_fit(struct alarm_limit *limit)
{
	if (!takes_value(limit->condition)) {
		limit->value = NAN;
		limit->match = NULL;
	}
	if (!takes_bounds(limit->condition))
		limit->low = limit->high = NAN;
	if (!takes_hysteresis(limit->condition))
		limit->hysteresis = 0;
	if (limit->condition == ALARM_CHANGE)
		limit->on_delay_ms = 0;
}

static bool
settle_condition(const struct alarm_limit *limit, enum value_kind kind,
	struct alarm_limit_flaw *flaw)
{
	switch (limit->condition) {
	case ALARM_GREATER:
	case ALARM_LESS:
	case ALARM_RANGE:
	case ALARM_OUTSIDE:
		if (!is_number_kind(kind))
			return flawed(flaw, ALARM_LIMIT_CONDITION,
				"needs a variable that is a number");
		return true;
	case ALARM_BIT:
		if (kind != VALUE_INT)
			return flawed(flaw, ALARM_LIMIT_CONDITION,
				"needs a variable of type int");
		return true;
	case ALARM_EQUAL:
	case ALARM_CHANGE:
	case ALARM_STATUS:
		return true;
	}
	return flawed(flaw, ALARM_LIMIT_CONDITION,
		"must be greater, less, equal, range, outside, bit, change "
		"or status");
}

/* A bool may be told as a word. */
static bool
parse_value(const char *text, double *number)
{
	if (strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0) {
		*number = strcasecmp(text, "true") == 0;
		return true;
	}
	return word_number(text, number);
}

static bool
settle_match(struct alarm_limit *limit, struct alarm_limit_flaw *flaw)
{
	if (limit->match == NULL)
		return flawed(flaw, ALARM_LIMIT_VALUE,
			"must be the text that the string is compared with");
	if (strlen(limit->match) > ALARM_LIMIT_MATCH_BYTES_MAX ||
		!utf8_valid(limit->match, strlen(limit->match)))
		return flawed(flaw, ALARM_LIMIT_VALUE,
			"must be UTF-8 of at most 256 bytes");
	limit->value = NAN;
	return true;
}

static bool
settle_number(struct alarm_limit *limit, enum value_kind kind,
	struct alarm_limit_flaw *flaw)
{
	if (limit->match != NULL && !parse_value(limit->match, &limit->value))
		return flawed(flaw, ALARM_LIMIT_VALUE, "is not a number");
	limit->match = NULL;
	limit->value += 0.0; /* as settle_zeros */
	if (!isfinite(limit->value))
		return flawed(flaw, ALARM_LIMIT_VALUE, "is missing");
	if ((limit->condition == ALARM_BIT ||
		    limit->condition == ALARM_STATUS) &&
		(limit->value < 0 || limit->value > BIT_MAX ||
			limit->value != floor(limit->value)))
		return flawed(flaw, ALARM_LIMIT_VALUE,
			"must be the number of a bit, 0 to 63");
	if (limit->condition == ALARM_EQUAL && kind == VALUE_BOOL &&
		limit->value != 0 && limit->value != 1)
		return flawed(flaw, ALARM_LIMIT_VALUE, "must be true or false");
	return true;
}

static bool
settle_value(struct alarm_limit *limit, enum value_kind kind,
	struct alarm_limit_flaw *flaw)
{
	if (!takes_value(limit->condition)) {
		if (limit->match != NULL || !isnan(limit->value))
			return flawed(flaw, ALARM_LIMIT_VALUE,
				"this condition has none; leave it empty");
		return true;
	}
	if (limit->condition == ALARM_EQUAL && kind == VALUE_STRING)
		return settle_match(limit, flaw);
	return settle_number(limit, kind, flaw);
}

static bool
settle_bounds(const struct alarm_limit *limit, struct alarm_limit_flaw *flaw)
{
	if (!takes_bounds(limit->condition)) {
		if (!isnan(limit->low))
			return flawed(flaw, ALARM_LIMIT_LOW,
				"only range and outside have one");
		if (!isnan(limit->high))
			return flawed(flaw, ALARM_LIMIT_HIGH,
				"only range and outside have one");
		return true;
	}
	if (!isfinite(limit->low))
		return flawed(flaw, ALARM_LIMIT_LOW, "is missing");
	if (!isfinite(limit->high))
		return flawed(flaw, ALARM_LIMIT_HIGH, "is missing");
	if (limit->high < limit->low)
		return flawed(flaw, ALARM_LIMIT_HIGH, "must not be below low");
	return true;
}

static bool
settle_hysteresis(const struct alarm_limit *limit, enum value_kind kind,
	struct alarm_limit_flaw *flaw)
{
	if (!isfinite(limit->hysteresis) || limit->hysteresis < 0)
		return flawed(
			flaw, ALARM_LIMIT_HYSTERESIS, "must not be negative");
	if (limit->hysteresis > 0 &&
		(!takes_hysteresis(limit->condition) || !is_number_kind(kind)))
		return flawed(flaw, ALARM_LIMIT_HYSTERESIS,
			"only comparisons of numbers have one");
	/* Else an alarm could never go. */
	if (limit->condition == ALARM_OUTSIDE &&
		limit->low + limit->hysteresis >
			limit->high - limit->hysteresis)
		return flawed(flaw, ALARM_LIMIT_HYSTERESIS,
			"must be at most half of what is between low and "
			"high");
	return true;
}

static bool
settle_delays(const struct alarm_limit *limit, struct alarm_limit_flaw *flaw)
{
	if (limit->on_delay_ms < 0 ||
		limit->on_delay_ms > ALARM_LIMIT_DELAY_MS_MAX)
		return flawed(flaw, ALARM_LIMIT_ON_DELAY,
			"must be from 0 to 86400000 ms");
	if (limit->off_delay_ms < 0 ||
		limit->off_delay_ms > ALARM_LIMIT_DELAY_MS_MAX)
		return flawed(flaw, ALARM_LIMIT_OFF_DELAY,
			"must be from 0 to 86400000 ms");
	if (limit->condition == ALARM_CHANGE && limit->on_delay_ms > 0)
		return flawed(flaw, ALARM_LIMIT_ON_DELAY,
			"a change happens at once; leave it empty");
	return true;
}

static bool
settle_numbers(const struct alarm_limit *limit, struct alarm_limit_flaw *flaw)
{
	if (limit->class_number < 0 ||
		limit->class_number > ALARM_LIMIT_NUMBER_MAX)
		return flawed(
			flaw, ALARM_LIMIT_CLASS, "must be from 0 to 65535");
	if (limit->group_number < 0 ||
		limit->group_number > ALARM_LIMIT_NUMBER_MAX)
		return flawed(
			flaw, ALARM_LIMIT_GROUP, "must be from 0 to 65535");
	if (limit->priority < 1 || limit->priority > 4)
		return flawed(
			flaw, ALARM_LIMIT_PRIORITY, "must be from 1 to 4");
	return true;
}

/* Names of variables are what the variables CSV allows. */
static bool
is_variable_name(const char *name)
{
	size_t bytes = strlen(name);

	for (size_t i = 0; i < bytes; i++)
		if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
			return false;
	return bytes > 0 && bytes <= NAME_OF_VARIABLE_BYTES &&
	       utf8_valid(name, bytes);
}

static bool
settle_texts(const struct alarm_limit *limit, struct alarm_limit_flaw *flaw)
{
	if (!is_variable_name(limit->variable))
		return flawed(flaw, ALARM_LIMIT_VARIABLE,
			"must be the name of a variable");
	if (!utf8_is_name(limit->name, ALARM_LIMIT_NAME_BYTES_MAX))
		return flawed(
			flaw, ALARM_LIMIT_NAME, "must have 1 to 64 bytes");
	if (strlen(limit->text) > ALARM_LIMIT_TEXT_BYTES_MAX ||
		!utf8_valid(limit->text, strlen(limit->text)))
		return flawed(flaw, ALARM_LIMIT_TEXT,
			"must be UTF-8 of at most 512 bytes");
	if (limit->suppressed_by[0] != '\0' &&
		!is_variable_name(limit->suppressed_by))
		return flawed(flaw, ALARM_LIMIT_SUPPRESSED_BY,
			"must be the name of a variable");
	return true;
}

static bool
settle_areas(const struct alarm_limit *limit, struct alarm_limit_flaw *flaw)
{
	if (limit->areas.count > ALARM_LIMIT_AREAS_MAX)
		return flawed(
			flaw, ALARM_LIMIT_AREAS, "may have at most 4 names");
	for (size_t i = 0; i < limit->areas.count; i++) {
		if (!utf8_is_name(limit->areas.items[i],
			    ALARM_LIMIT_AREA_BYTES_MAX) ||
			strchr(limit->areas.items[i], '|') != NULL)
			return flawed(flaw, ALARM_LIMIT_AREAS,
				"must be names of 1 to 128 bytes without |");
		for (size_t k = 0; k < i; k++)
			if (strcmp(limit->areas.items[i],
				    limit->areas.items[k]) == 0)
				return flawed(flaw, ALARM_LIMIT_AREAS,
					"has a name twice");
	}
	return true;
}

/* There is one zero: JSON and spreadsheets do not tell -0 from 0. */
static void
settle_zeros(struct alarm_limit *limit)
{
	limit->low += 0.0;
	limit->high += 0.0;
	limit->hysteresis += 0.0;
}

bool
alarm_limit_settle(struct alarm_limit *limit, enum value_kind kind,
	struct alarm_limit_flaw *flaw)
{
	settle_zeros(limit);
	return settle_texts(limit, flaw) &&
	       settle_condition(limit, kind, flaw) &&
	       settle_value(limit, kind, flaw) && settle_bounds(limit, flaw) &&
	       settle_hysteresis(limit, kind, flaw) &&
	       settle_delays(limit, flaw) && settle_numbers(limit, flaw) &&
	       settle_areas(limit, flaw);
}
