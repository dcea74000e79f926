/*
 * alarm_limit_list: many limits of one datasource as a document: JSON,
 * {"limits": [{…}, …]}, or CSV (model/alarm_limit_csv.h). What is written is
 * read back as the same.
 */
#ifndef FG_MODEL_ALARM_LIMIT_LIST_H
#define FG_MODEL_ALARM_LIMIT_LIST_H

#include "model/alarm_limit.h"
#include "model/variable.h"

#define ALARM_LIMIT_LIST_BYTES ((size_t)32 * 1024 * 1024)

/* The variables of a datasource, so that they are found by name. */
struct alarm_limit_names {
	struct variable_list variables; /* by the bytes of their names */
};

struct alarm_limit_names alarm_limit_names(
	struct arena *arena, const struct variable_list *variables);

/* NULL when there is none. */
const struct variable *alarm_limit_variable(
	const struct alarm_limit_names *names, const char *name);

/*
 * Settle a limit that was read; "path" names it in messages ("limits[3]").
 * Fails: RC_BAD_INPUT.
 */
MUST_CHECK enum rc alarm_limit_settle_named(
	const struct alarm_limit_names *names, struct alarm_limit *limit,
	const char *path, struct fault *fault);

/* Fails: RC_BAD_INPUT, RC_TOO_LARGE more than ALARM_LIMITS_MAX. */
MUST_CHECK enum rc alarm_limit_list_read_json(struct arena *arena,
	struct json_object *limits, const struct alarm_limit_names *names,
	struct alarm_limit_list *list, struct fault *fault);

/* Fails: RC_BAD_INPUT with line and column. */
MUST_CHECK enum rc alarm_limit_list_read_csv(struct arena *arena,
	const char *text, size_t length, const struct alarm_limit_names *names,
	struct alarm_limit_list *list, struct fault *fault);

#endif
