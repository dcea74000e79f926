/*
 * controller_alarm: what makes alarms and how they are sorted, as
 * configuration by REST: limits, classes, groups, areas and the tree of
 * causes. Everything below /api/v1/admin/datasources/{ds}/ takes the right
 * Configure: of each variable for its limits, of the whole datasource for the
 * rest.
 */
#ifndef FG_FCGI_CONTROLLER_ALARM_H
#define FG_FCGI_CONTROLLER_ALARM_H

#include "fcgi/controller_rights.h"
#include "fcgi/plant.h"
#include "lib/route.h"
#include "model/alarm_limit_store.h"

/* Limits by JSON and by CSV, both ways. */
#define CONTROLLER_LIMITS_BYTES ((size_t)8 * 1024 * 1024)

/* controller_limit.c: …/limits */
handler_fn controller_limit_list;
handler_fn controller_limit_create;
handler_fn controller_limit_get;
handler_fn controller_limit_change;
handler_fn controller_limit_remove;

/* controller_limit_file.c: all that were engineered at the hub */
handler_fn controller_limit_put_many; /* PUT …/limits */
handler_fn controller_limit_json;     /* GET …/limits.json */
handler_fn controller_limit_csv;      /* GET …/limits.csv */
handler_fn controller_limit_put_csv;  /* PUT …/limits.csv */

/* controller_alarm_category.c: …/alarm-classes, -groups, -areas */
handler_fn controller_category_list;
handler_fn controller_category_put;
handler_fn controller_category_remove;

/* controller_alarm_vocabulary.c: all of these as one file */
handler_fn controller_vocabulary_get; /* GET …/alarm-vocabulary */
handler_fn controller_vocabulary_put; /* PUT …/alarm-vocabulary */

/* controller_alarm_cause.c: …/alarm-causes */
handler_fn controller_cause_list;
handler_fn controller_cause_create;
handler_fn controller_cause_change;

/* The datasource, for somebody who may configure all of it.
 * Fails: RC_NOT_FOUND, RC_DENIED RightMissing. */
MUST_CHECK enum rc controller_alarm_plant(struct req *req, struct plant *plant);

/* "?replace=true" of the address. Fails: RC_BAD_INPUT. */
MUST_CHECK enum rc controller_alarm_mode(
	struct req *req, enum alarm_limit_mode *mode);

/* {"added", "changed", "removed"}, in "arena". */
const char *controller_alarm_counts(
	struct arena *arena, const struct alarm_limit_count *counts);

#endif
