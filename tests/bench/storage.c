/*
 * storage: what history costs on disk and in time, on a private cluster.
 *
 * Prints one line per figure: name, value, unit, ratio, of what, wanted; with
 * tabs between them. The series of FIELDGRID_DATA are loaded COPIES times,
 * each copy a variable, as a plant has many of a kind.
 */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "lib/clock.h"
#include "model/chunk_store.h"
#include "model/frame.h"
#include "model/history.h"
#include "model/pack.h"
#include "model/partition.h"
#include "tests/sql/cluster.h"
#include "tests/sql/oracle.h"
#include "tests/unit/series.h"

#define COPIES        30
#define FRAME_SAMPLES 20000
#define ROUNDS        200
#define DAY_SAMPLES   86400
#define LONG_DAYS     20
#define LONG_ROUNDS   20

enum { SIZE, BODIES, FRAMES };

static const struct stmt bench_stmts[] = {
	[SIZE] = {"bench_size", "",
		"SELECT coalesce(sum(pg_total_relation_size(inhrelid)), 0)"
		"     ::bigint"
		"  FROM pg_inherits"
		" WHERE inhparent = 'chunk'::regclass"},
	[BODIES] = {"bench_bodies", "nii", /* $1 variable $2 from $3 to */
		"SELECT body FROM chunk WHERE variable_id = $1"
		" AND last_us >= $2 AND first_us < $3"},
	[FRAMES] = {"bench_frames", "", "SELECT body FROM frame"},
	STMT_END,
};

static const struct stmt *const sets[] = {bench_stmts, chunk_store_stmts,
	history_stmts, oracle_stmts, pack_stmts, partition_stmts, NULL};

struct loaded {
	struct sample *samples;
	size_t count;
};

static struct db *db;

static void
check(enum rc rc, const struct fault *fault)
{
	if (rc == RC_OK)
		return;
	fprintf(stderr, "storage: %s\n", fault->text);
	exit(EXIT_FAILURE);
}

static void
print(const char *name, double value, const char *unit, double ratio,
	const char *of, const char *wanted)
{
	printf("%s\t%.3f\t%s\t%.3f\t%s\t%s\n", name, value, unit, ratio, of,
		wanted);
	fflush(stdout);
}

/* --- loading -------------------------------------------------------------- */

/* Store a series as frames of one variable, each sample some time later. */
static void
load(struct oracle *oracle, struct arena *arena, const struct loaded *series,
	int32_t variable_id, int64_t later_us)
{
	struct sample *some = arena_array(arena, FRAME_SAMPLES, sizeof(*some));
	size_t done = 0;

	while (done < series->count) {
		size_t count = 0;

		for (; count < FRAME_SAMPLES && done < series->count; done++) {
			some[count] = series->samples[done];
			some[count].variable_id = variable_id;
			some[count].status = STATUS_SPONT;
			some[count++].time_us += later_us;
		}
		oracle_send(oracle, some, count);
	}
}

static void
pack(void)
{
	const struct pack_limits limits = {
		.received_before_us = clock_now_us() + CLOCK_HOUR_US,
		.samples_max = 500000};
	struct arena *arena = arena_new();
	struct pack_count count = {0};
	struct fault fault;
	int64_t after_id = 0;
	int64_t *months;
	size_t month_count;
	bool more = true;

	while (more) {
		check(pack_frames(db, arena, &limits, &after_id, &more, &count,
			      &fault),
			&fault);
		arena_reset(arena);
	}
	check(partition_months(db, arena, &months, &month_count, &fault),
		&fault);
	for (size_t i = 0; i < month_count; i++)
		check(pack_merge(db, arena, months[i], PACK_MERGE_ALL, NULL,
			      &count, &fault),
			&fault);
	arena_free(arena);
}

static double
size_on_disk(void)
{
	struct arena *arena = arena_new();
	struct rows *rows;
	struct fault fault;
	double bytes;

	check(db_find(db, arena, &bench_stmts[SIZE], NO_PARAMS, &rows, &fault),
		&fault);
	bytes = (double)rows_int(rows, 0, 0);
	arena_free(arena);
	return bytes;
}

/* The raw limit: times and values as plain columns under zstd -3. */
static double
raw_bytes(struct arena *arena, const struct loaded *series)
{
	size_t bytes = series->count * 8;
	char *columns = arena_alloc(arena, 2 * bytes);
	size_t room = ZSTD_compressBound(2 * bytes);

	for (size_t i = 0; i < series->count; i++) {
		memcpy(columns + i * 8, &series->samples[i].time_us, 8);
		memcpy(columns + bytes + i * 8,
			&series->samples[i].value.number, 8);
	}
	return (double)ZSTD_compress(
		arena_alloc(arena, room), room, columns, 2 * bytes, 3);
}

static void
measure_size(struct oracle *oracle, const char *what, const char *const *names,
	const char *wanted)
{
	struct arena *arena = arena_new();
	struct fault fault;
	double samples = 0;
	double raw = 0;
	double bytes;
	char name[128];
	int32_t id = oracle->ids[1] + 1000;

	check(db_script(db, "TRUNCATE chunk", &fault), &fault);
	for (; *names != NULL; names++) {
		struct loaded series = {NULL, 0};

		series.samples = series_load(arena, *names, &series.count);

		for (int copy = 0; copy < COPIES; copy++)
			load(oracle, arena, &series, id++,
				copy * 300 * CLOCK_SECOND_US);
		samples += (double)series.count * COPIES;
		if (series.count > 0)
			raw += raw_bytes(arena, &series) * COPIES;
	}
	if (samples > 0) {
		pack();
		check(db_script(db, "VACUUM FULL chunk", &fault), &fault);
		bytes = size_on_disk();
		snprintf(name, sizeof(name), "bytes per sample at rest, %s",
			what);
		print(name, bytes / samples, "B", bytes / raw,
			"plain columns under zstd -3", wanted);
	}
	arena_free(arena);
}

/* --- speed ---------------------------------------------------------------- */

static int
compare(const void *left, const void *right)
{
	double a = *(const double *)left;
	double b = *(const double *)right;

	return a < b ? -1 : a > b;
}

static double
percentile(double *times, size_t count, double share)
{
	qsort(times, count, sizeof(*times), compare);
	return times[(size_t)((double)(count - 1) * share)];
}

/* A day of one-second samples, two decimals, that wander. */
static struct loaded
make_day(struct arena *arena, int64_t begin_us)
{
	struct loaded series = {
		arena_array(arena, DAY_SAMPLES, sizeof(struct sample)),
		DAY_SAMPLES};
	uint64_t random = 88172645463325252u;
	double value = 500;

	for (size_t i = 0; i < series.count; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		value += (double)(random % 2001) / 1000 - 1;
		series.samples[i].time_us =
			begin_us + (int64_t)i * CLOCK_SECOND_US;
		series.samples[i].value = (struct value){
			VALUE_FLOAT, .number = round(value * 100) / 100};
	}
	return series;
}

static double
time_bodies(struct arena *arena, int32_t id, int64_t from_us, int64_t to_us)
{
	int64_t begin_us = clock_steady_us();
	struct rows *rows;
	struct fault fault;

	check(db_query(db, arena, &bench_stmts[BODIES],
		      PARAMS(P_SHORT(id), P_INT(from_us), P_INT(to_us)), &rows,
		      &fault),
		&fault);
	return (double)(clock_steady_us() - begin_us) / 1000;
}

static int64_t
draw_points(struct arena *arena, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_range range = {id, from_us, to_us};
	struct history_envelope envelope;
	struct fault fault;

	check(history_envelope(db, arena, &range, 1000, &envelope, &fault),
		&fault);
	return envelope.count == 1000 ? envelope.samples : 0;
}

static double
time_envelope(struct arena *arena, int32_t id, int64_t from_us, int64_t to_us)
{
	int64_t begin_us = clock_steady_us();

	if (draw_points(arena, id, from_us, to_us) != DAY_SAMPLES)
		exit(EXIT_FAILURE);
	return (double)(clock_steady_us() - begin_us) / 1000;
}

static void
measure_envelope(struct oracle *oracle)
{
	struct arena *arena = arena_new();
	int32_t id = oracle->ids[1];
	int64_t from_us = partition_month(clock_now_us()) - 5 * CLOCK_DAY_US;
	int64_t to_us = from_us + CLOCK_DAY_US;
	struct loaded day = make_day(arena, from_us);
	double times[ROUNDS];
	double raws[ROUNDS];
	double p95;

	load(oracle, arena, &day, id, 0);
	pack();
	for (int i = 0; i < ROUNDS; i++) {
		arena_reset(arena);
		raws[i] = time_bodies(arena, id, from_us, to_us);
		times[i] = time_envelope(arena, id, from_us, to_us);
	}
	p95 = percentile(times, ROUNDS, 0.95);
	print("history 86,400 samples to 1,000 points, p95", p95, "ms",
		percentile(raws, ROUNDS, 0.95) / p95,
		"fetching the same bodies", "< 30 ms");
	arena_free(arena);
}

static double
time_average(struct arena *arena, int32_t id, int64_t from_us, int64_t to_us)
{
	const struct history_range range = {id, from_us, to_us};
	int64_t begin_us = clock_steady_us();
	struct history_cycles cycles;
	struct fault fault;

	check(history_aggregate(db, arena, &range, CLOCK_HOUR_US,
		      HISTORY_AVERAGE, &cycles, &fault),
		&fault);
	return (double)(clock_steady_us() - begin_us) / 1000;
}

static double
time_frames(struct arena *arena)
{
	int64_t begin_us = clock_steady_us();
	struct rows *rows;
	struct fault fault;

	check(db_query(db, arena, &bench_stmts[FRAMES], NO_PARAMS, &rows,
		      &fault),
		&fault);
	return (double)(clock_steady_us() - begin_us) / 1000;
}

/* Weeks of seconds: what packing and long ranges take. */
static void
measure_weeks(struct oracle *oracle)
{
	struct arena *arena = arena_new();
	int32_t id = oracle->ids[1] + 500;
	int64_t from_us =
		partition_month(partition_month(clock_now_us()) - CLOCK_DAY_US);
	int64_t to_us = from_us + LONG_DAYS * CLOCK_DAY_US;
	double draws[LONG_ROUNDS];
	double averages[LONG_ROUNDS];
	double raws[LONG_ROUNDS];
	double packing;
	double raw;
	int64_t begin_us;

	for (int day = 0; day < LONG_DAYS; day++) {
		struct loaded series =
			make_day(arena, from_us + day * CLOCK_DAY_US);

		load(oracle, arena, &series, id, 0);
		arena_reset(arena);
	}
	raw = time_frames(arena);
	begin_us = clock_steady_us();
	pack();
	packing = (double)(clock_steady_us() - begin_us) / 1000;
	print("packing frames into chunks",
		LONG_DAYS * DAY_SAMPLES / packing / 1000, "M samples/s",
		raw / packing, "fetching the same frames", "");
	for (int i = 0; i < LONG_ROUNDS; i++) {
		arena_reset(arena);
		raws[i] = time_bodies(arena, id, from_us, to_us);
		begin_us = clock_steady_us();
		draw_points(arena, id, from_us, to_us);
		draws[i] = (double)(clock_steady_us() - begin_us) / 1000;
		averages[i] = time_average(arena, id, from_us, to_us);
	}
	raw = percentile(raws, LONG_ROUNDS, 0.95);
	print("history 1,728,000 samples to 1,000 points, p95",
		percentile(draws, LONG_ROUNDS, 0.95), "ms",
		raw / percentile(draws, LONG_ROUNDS, 0.95),
		"fetching the same bodies", "");
	print("hourly averages of 1,728,000 samples, p95",
		percentile(averages, LONG_ROUNDS, 0.95), "ms",
		raw / percentile(averages, LONG_ROUNDS, 0.95),
		"fetching the same bodies", "");
	arena_free(arena);
}

/* Frames in memory, decoded again and again. */
static void
measure_decode(void)
{
	enum { SAMPLES = 1000, COUNT = 20000 };
	struct frame_head head = {.sequence = 1};
	struct arena *arena = arena_new();
	struct sample *samples = arena_array(arena, SAMPLES, sizeof(*samples));
	char *copy = arena_alloc(arena, FRAME_BYTES_MAX);
	struct frame_content content = {
		.samples = samples, .sample_count = SAMPLES};
	struct fault fault;
	struct buf body;
	int64_t begin_us;
	double rate;
	double raw;

	for (int i = 0; i < SAMPLES; i++)
		samples[i] = (struct sample){1 + i % 100,
			clock_now_us() / 1000000 * 1000000 + i / 100 * 1000000,
			STATUS_SPONT, {VALUE_FLOAT, .number = i / 7.0}};
	buf_init(&body, 0);
	check(frame_encode(&head, &content, FRAME_PLAIN, &body, &fault),
		&fault);
	arena_reset(arena);
	begin_us = clock_steady_us();
	for (int i = 0; i < COUNT; i++) {
		check(frame_decode(body.data, body.length, arena, &head,
			      &content, &fault),
			&fault);
		arena_reset(arena);
	}
	rate = (double)SAMPLES * COUNT / (double)(clock_steady_us() - begin_us);
	copy = arena_alloc(arena, FRAME_BYTES_MAX);
	begin_us = clock_steady_us();
	for (int i = 0; i < COUNT; i++) {
		memcpy(copy, body.data, body.length);
		__asm__ volatile("" : : "r"(copy) : "memory");
	}
	raw = (double)SAMPLES * COUNT / (double)(clock_steady_us() - begin_us);
	print("frames decoded, one core", rate, "M samples/s", rate / raw,
		"memcpy of the frames", "> 20");
	buf_free(&body);
	arena_free(arena);
}

int
main(void)
{
	static const char *const pv[] = {"pv_multisite/TAEFC1044741.csv",
		"pv_multisite/ZT162185000441C1203.csv",
		"pv_multisite/fixture_timeseries.csv", NULL};
	static const char *const nab[] = {
		"nab/machine_temperature_system_failure.csv",
		"nab/ambient_temperature_system_failure.csv", NULL};
	struct oracle oracle;

	cluster_start();
	db = cluster_open("fieldgrid_owner", sets);
	oracle_open(&oracle, db, "bench");
	if (getenv("FIELDGRID_DATA") != NULL) {
		measure_size(&oracle, "PV", pv, "< 4 B");
		measure_size(&oracle, "NAB", nab, "");
	} else {
		fprintf(stderr, "storage: FIELDGRID_DATA is not set: "
				"no bytes per sample\n");
	}
	measure_envelope(&oracle);
	measure_weeks(&oracle);
	measure_decode();
	oracle_close(&oracle);
	db_close(db);
	return EXIT_SUCCESS;
}
