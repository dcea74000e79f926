/*
 * oracle: a datasource with variables in a test's database, its frames, and the
 * naive memory of every sample that was sent: the oracle of storage tests.
 */
#ifndef FG_TESTS_SQL_ORACLE_H
#define FG_TESTS_SQL_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/db.h"
#include "model/sample.h"

#define ORACLE_VARIABLES 4 /* one of each kind */

extern const struct stmt oracle_stmts[];

struct oracle {
	struct db *db; /* of a role that may do everything */
	struct arena *arena;
	int32_t datasource_id;
	int32_t ids[ORACLE_VARIABLES]; /* of kinds 1, 2, 3, 4 */
	int64_t sequence;
	struct sample *sent; /* in order of arrival */
	size_t count;
	size_t room;
};

void oracle_open(struct oracle *oracle, struct db *db, const char *name);
void oracle_close(struct oracle *oracle);

/* Store the samples as one frame and remember them. */
void oracle_send(
	struct oracle *oracle, const struct sample *samples, size_t count);

/*
 * What history should say of a variable: its samples of from <= time < to by
 * time, equal times by arrival, repeated ones once.
 */
struct sample *oracle_expect(const struct oracle *oracle, struct arena *arena,
	int32_t variable_id, int64_t from_us, int64_t to_us, size_t *count);

/* Rows of a table that "FROM …" counts. */
int64_t oracle_count(struct oracle *oracle, int stmt);

enum oracle_stmt {
	ORACLE_DATASOURCE,
	ORACLE_VARIABLE,
	ORACLE_FRAME,
	ORACLE_COUNT_FRAMES,
	ORACLE_COUNT_CHUNKS,
	ORACLE_COUNT_SAMPLES,    /* in chunks */
	ORACLE_COUNT_PARTITIONS, /* of frames, beside the default one */
};

#endif
