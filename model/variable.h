/*
 * variable: a named process value of a datasource.
 */
#ifndef FG_MODEL_VARIABLE_H
#define FG_MODEL_VARIABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/sample.h"

#define VARIABLE_NAME_BYTES_MAX 256
#define VARIABLE_BATCH_MAX      10000
#define VARIABLE_DECIMALS_MAX   15

/* The column variable.access: what the outside may do at most. */
enum variable_access {
	ACCESS_NONE = 0,
	ACCESS_READ = 1,
	ACCESS_READ_WRITE = 2
};

struct variable {
	int32_t id;
	int32_t datasource_id;
	const char *name;
	enum value_kind kind;
	const char *unit;
	int decimals;
	double minimum; /* NaN = none */
	double maximum; /* NaN = none */
	bool stepped;
	enum variable_access access;
	const char *description;
};

struct variable_list {
	size_t count;
	const struct variable *items;
};

extern const struct stmt variable_stmts[];

/*
 * The variables of a datasource whose name matches one of the "patterns" of
 * "*" (any run) and "?" (any one character), by name. Every access is in the
 * list; rights are the caller's business.
 * Owns:  everything lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc variable_query(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *const *patterns, size_t count,
	struct variable_list *list, struct fault *fault);

/* All variables of all datasources, by id. */
MUST_CHECK enum rc variable_query_all(struct db *db, struct arena *arena,
	struct variable_list *list, struct fault *fault);

/* Those of the exact "names" that exist, in the order of the names. */
MUST_CHECK enum rc variable_query_names(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *const *names, size_t count,
	struct variable_list *list, struct fault *fault);

/* Fails: RC_NOT_FOUND, RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc variable_find(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *name, struct variable *variable,
	struct fault *fault);

/*
 * Create or change "count" variables of one datasource by name, all or none;
 * the items' id and datasource_id are ignored. "stored" gets them all back,
 * with ids, in the order of the items.
 * Fails: RC_BAD_INPUT a name that is empty, too long or twice, decimals;
 *        RC_TOO_LARGE more than VARIABLE_BATCH_MAX; RC_CONFLICT one exists
 *        with another kind: the fault's field names it.
 */
MUST_CHECK enum rc variable_put(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct variable *items, size_t count,
	struct variable_list *stored, struct fault *fault);

/* Patterns of "*" and "?" in the words of SQL's LIKE. */
const char **variable_like_patterns(
	struct arena *arena, const char *const *patterns, size_t count);

/* The columns of table variable AS v, as variable_from_row takes them. */
#define VARIABLE_COLUMNS                                                       \
	"v.id, v.datasource_id, v.name, v.kind, v.unit, v.decimals"            \
	", v.minimum, v.maximum, v.stepped, v.access, v.description "

void variable_from_row(
	const struct rows *rows, size_t row, struct variable *variable);

/* "bool", "float", "int" or "string"; NULL and VALUE_NONE when unknown. */
const char *variable_kind_name(enum value_kind kind);
enum value_kind variable_kind_parse(const char *name);
/* "none", "read" or "read_write"; false when unknown. */
const char *variable_access_name(enum variable_access access);
MUST_CHECK bool variable_access_parse(
	const char *name, enum variable_access *access);

#endif
