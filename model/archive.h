/*
 * archive: a named set of variables with a recording rule, and aggregated
 * archives below it, any depth.
 *
 * Every sample is kept; an archive says which of them belong together and how
 * they are read: as they came (spontaneous), at every cycle (cyclic), or, when
 * it is aggregated, as one calculated value per cycle of its parent's values.
 */
#ifndef FG_MODEL_ARCHIVE_H
#define FG_MODEL_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "model/variable.h"

#define ARCHIVE_IDENTIFICATION_LETTERS 64
#define ARCHIVE_CYCLE_MAX_S            (366 * 86400)

enum archive_rule { ARCHIVE_SPONTANEOUS, ARCHIVE_CYCLIC, ARCHIVE_EVENT };

enum archive_calculation {
	ARCHIVE_NOT_AGGREGATED,
	ARCHIVE_SUM,
	ARCHIVE_AVERAGE,
	ARCHIVE_MINIMUM,
	ARCHIVE_MAXIMUM,
};

struct archive {
	int32_t id;
	const char *identification; /* unique in the datasource */
	const char *name;
	enum archive_rule rule;
	enum archive_calculation calculation;
	int64_t cycle_s; /* 0 = none */
	const struct archive *parent;
	const struct archive *child; /* the first aggregated one */
	const struct archive *next;  /* of the same parent */
	struct variable_list variables;
};

extern const struct stmt archive_stmts[];

/*
 * All archives of a datasource with their variables, as a tree by
 * identification; "*first" is the first without a parent or NULL.
 * Owns:  everything lives in "arena".  Fails: RC_UNAVAILABLE, RC_DB.
 */
MUST_CHECK enum rc archive_query(struct db *db, struct arena *arena,
	int64_t datasource_id, const struct archive **first,
	struct fault *fault);

/* One with its variables and its parents, which come without theirs.
 * Fails: RC_NOT_FOUND, RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc archive_find(struct db *db, struct arena *arena,
	int64_t datasource_id, const char *identification,
	const struct archive **archive, struct fault *fault);

/* What a new archive is made of. */
struct archive_draft {
	int64_t datasource_id;
	const char *identification;
	const char *name;
	enum archive_rule rule;
	enum archive_calculation calculation;
	int64_t cycle_s;             /* 0 = none */
	const char *parent;          /* identification; NULL = none */
	const char *const *patterns; /* of its variables; none given and a
				      * parent: all the parent's */
	size_t patterns_count;
};

/*
 * Create one; "variables" gets how many variables it took. Strings are left
 * out of aggregated archives.
 * Fails: RC_BAD_INPUT the draft contradicts itself; RC_NOT_FOUND the parent;
 *        RC_CONFLICT the identification is taken; RC_DB.
 */
MUST_CHECK enum rc archive_create(struct db *db, struct arena *arena,
	const struct archive_draft *draft, size_t *variables,
	struct fault *fault);

/* "sum", "average", "minimum" or "maximum"; NULL for not aggregated. */
const char *archive_calculation_name(enum archive_calculation calculation);
/* ARCHIVE_NOT_AGGREGATED when the name is unknown. */
enum archive_calculation archive_calculation_parse(const char *name);
/* "spontaneous", "cyclic" or "event"; false when unknown. */
const char *archive_rule_name(enum archive_rule rule);
MUST_CHECK bool archive_rule_parse(const char *name, enum archive_rule *rule);

#endif
