/* history_check: what the history tells, against the oracle. */
#ifndef FG_TESTS_SQL_HISTORY_CHECK_H
#define FG_TESTS_SQL_HISTORY_CHECK_H

#include "lib/clock.h"
#include "model/history.h"
#include "tests/sql/oracle.h"
#include "tests/unit/series.h"

/* 2023-11-14; the walk below passes the end of the month. */
#define T0      INT64_C(1700000000000000)
#define SPAN_US (40 * CLOCK_DAY_US)

struct fixture {
	struct db *owner;
	struct db *keeper;
	struct db *reader;
	struct oracle oracle;
	struct series series;
	struct arena *arena; /* of one check */
	struct fault fault;
};

/* The test ends when the fixture's last call failed. */
void check(enum rc rc, const struct fixture *fixture);

/* A number below that. */
uint64_t draw(struct fixture *fixture, uint64_t below);

/* What a query tells, sample by sample. */
struct seen {
	struct arena *arena;
	struct sample *samples;
	size_t count;
	size_t room;
};

struct seen read_history(
	struct fixture *fixture, const struct history_query *query);

/* Ask for one variable, and for everything in every way and some ranges. */
void check_variable(
	struct fixture *fixture, int32_t id, int64_t from_us, int64_t to_us);
void check_all(struct fixture *fixture);

#endif
