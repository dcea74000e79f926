/*
 * alarm_category: the names of alarm classes and groups, which limits give
 * numbers of, and of areas, which are known by name alone.
 */
#ifndef FG_MODEL_ALARM_CATEGORY_H
#define FG_MODEL_ALARM_CATEGORY_H

#include "lib/db.h"
#include "lib/slice.h"
#include "model/naming.h"

#define ALARM_CATEGORY_NUMBER_MAX 65535

/* What there are names of: "class", in addresses and documents "classes". */
#define ALARM_CATEGORY_KINDS 3
struct alarm_category_kind {
	const char *one;
	const char *many;
};
extern const struct alarm_category_kind
	alarm_category_kinds[ALARM_CATEGORY_KINDS];

struct alarm_category {
	const char *kind; /* "class", "group" or "area" */
	int64_t number;   /* of an area 0 */
	const char *name;
	const char *colour; /* "#rrggbb" or "" */
	const char *description;
};

struct alarm_category_list {
	size_t count;
	struct alarm_category *items;
};

extern const struct stmt alarm_category_stmts[];

/* One page of a kind, by "number" or "name". */
MUST_CHECK enum rc alarm_category_slice(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *kind, const char *search,
	struct slice *slice, struct alarm_category_list *list,
	struct fault *fault);

/* All of them, by kind, number and name. */
MUST_CHECK enum rc alarm_category_query(struct db *db, struct arena *arena,
	int64_t datasource_id, struct alarm_category_list *list,
	struct fault *fault);

/* By its number, an area by its name. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc alarm_category_find(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct alarm_category *key,
	struct alarm_category *found, struct fault *fault);

bool alarm_category_is_area(const struct alarm_category *category);

/* "path" as for field_read. Fails: RC_BAD_INPUT. */
MUST_CHECK enum rc alarm_category_check(const struct alarm_category *category,
	const char *path, struct fault *fault);

/* Make or change it. Fails: RC_BAD_INPUT. */
MUST_CHECK enum rc alarm_category_put(struct db *db, int64_t datasource_id,
	const struct alarm_category *category, struct fault *fault);

/* Its name is forgotten; limits and alarms keep their numbers. */
MUST_CHECK enum rc alarm_category_delete(struct db *db, int64_t datasource_id,
	const struct alarm_category *category, struct fault *fault);

/* As JSON, for answers and for the audit. */
struct jsonw;
void alarm_category_write(
	struct jsonw *json, const struct alarm_category *category);
const char *alarm_category_text(
	struct arena *arena, const struct alarm_category *category);

#endif
