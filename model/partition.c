/* partition: the stretches of time into which frames and chunks are divided. */

#include "model/partition.h"

#include <time.h>

#include "lib/clock.h"

enum {
	FRAME_CREATE,
	FRAME_LIST,
	FRAME_DROP,
	CHUNK_CREATE,
	CHUNK_LIST,
	CHUNK_DROP
};

/* The bounds stand in the catalogue as text: FOR VALUES FROM ('…') TO ('…'). */
#define BOUND(word, type)                                                      \
	"substring(pg_get_expr(c.relpartbound, c.oid)"                         \
	" FROM '" word " \\(''([^'']+)''\\)')::" type
#define PARTITIONS(parent)                                                     \
	"  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"           \
	" WHERE i.inhparent = '" parent "'::regclass"                          \
	" AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'"

/* One word each, so that the statements below read as what they are. */
#define FRAME_END    BOUND("TO", "timestamptz")
#define CHUNK_BEGIN  BOUND("FROM", "bigint")
#define CHUNK_END    BOUND("TO", "bigint")
#define FRAME_TABLES PARTITIONS("frame")
#define CHUNK_TABLES PARTITIONS("chunk")

const struct stmt partition_stmts[] = {
	[FRAME_CREATE] = {"partition_frame_create", "zz", /* $1 from $2 to */
		"SELECT frame_partition_create($1, $2)"},
	[FRAME_LIST] = {"partition_frame_list", "z", /* $1 now */
		"SELECT name::text"
		"  FROM (SELECT c.relname AS name"
		"             , " FRAME_END " AS ends_at"
		"        " FRAME_TABLES ") AS p"
		" WHERE ends_at < $1"
		" ORDER BY ends_at"},
	[FRAME_DROP] = {"partition_frame_drop", "t", /* $1 name */
		"SELECT frame_partition_drop($1)"},
	[CHUNK_CREATE] = {"partition_chunk_create", "ii", /* $1 from $2 to */
		"SELECT chunk_partition_create($1, $2)"},
	[CHUNK_LIST] = {"partition_chunk_list", "i", /* $1 ended before */
		"SELECT name::text"
		"     , begins_us"
		"  FROM (SELECT c.relname AS name"
		"             , " CHUNK_BEGIN " AS begins_us"
		"             , " CHUNK_END " AS ends_us"
		"        " CHUNK_TABLES ") AS p"
		" WHERE ends_us <= $1"
		" ORDER BY begins_us"},
	[CHUNK_DROP] = {"partition_chunk_drop", "ti", /* $1 name $2 before */
		"SELECT chunk_partition_drop($1, $2)"},
	STMT_END,
};

static int64_t
month_begin(int64_t time_us, int months)
{
	time_t seconds = (time_t)(time_us / CLOCK_SECOND_US);
	struct tm date;

	if (time_us % CLOCK_SECOND_US < 0)
		seconds--;
	gmtime_r(&seconds, &date);
	date.tm_mon += months;
	date.tm_mday = 1;
	date.tm_hour = date.tm_min = date.tm_sec = 0;
	return (int64_t)timegm(&date) * CLOCK_SECOND_US;
}

int64_t
partition_month(int64_t time_us)
{
	return month_begin(time_us, 0);
}

int64_t
partition_next_month(int64_t time_us)
{
	return month_begin(time_us, 1);
}

/* Run a function of the schema; *count counts that it did something. */
static enum rc
call(struct db *db, struct arena *arena, int stmt, struct params params,
	size_t *count, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_find(
		db, arena, &partition_stmts[stmt], params, &rows, fault);

	if (rc == RC_OK && rows_bool(rows, 0, 0))
		(*count)++;
	return rc;
}

enum rc
partition_prepare(struct db *db, struct arena *arena, int64_t now_us,
	int64_t width_us, int64_t ahead, size_t *made, struct fault *fault)
{
	int64_t begin_us = now_us - now_us % width_us;
	enum rc rc = RC_OK;

	*made = 0;
	for (int64_t i = 0; rc == RC_OK && i < ahead; i++) {
		int64_t from_us = begin_us + i * width_us;

		rc = call(db, arena, FRAME_CREATE,
			PARAMS(P_TIME(from_us), P_TIME(from_us + width_us)),
			made, fault);
	}
	return rc;
}

enum rc
partition_sweep(struct db *db, struct arena *arena, int64_t now_us,
	size_t *dropped, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &partition_stmts[FRAME_LIST],
		PARAMS(P_TIME(now_us)), &rows, fault);

	*dropped = 0;
	for (size_t i = 0; rc == RC_OK && i < rows_count(rows); i++)
		rc = call(db, arena, FRAME_DROP,
			PARAMS(P_TEXT(rows_text(rows, i, 0))), dropped, fault);
	return rc;
}

enum rc
partition_open_month(struct db *db, int64_t time_us, struct fault *fault)
{
	return db_exec(db, &partition_stmts[CHUNK_CREATE],
		PARAMS(P_INT(partition_month(time_us)),
			P_INT(partition_next_month(time_us))),
		NULL, fault);
}

enum rc
partition_months(struct db *db, struct arena *arena, int64_t **months,
	size_t *count, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &partition_stmts[CHUNK_LIST],
		PARAMS(P_INT(INT64_MAX)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*months = arena_array(arena, *count, sizeof(**months));
	for (size_t i = 0; i < *count; i++)
		(*months)[i] = rows_int(rows, i, 1);
	return RC_OK;
}

enum rc
partition_retain(struct db *db, struct arena *arena, int64_t before_us,
	size_t *dropped, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &partition_stmts[CHUNK_LIST],
		PARAMS(P_INT(before_us)), &rows, fault);

	*dropped = 0;
	for (size_t i = 0; rc == RC_OK && i < rows_count(rows); i++)
		rc = call(db, arena, CHUNK_DROP,
			PARAMS(P_TEXT(rows_text(rows, i, 0)), P_INT(before_us)),
			dropped, fault);
	return rc;
}
