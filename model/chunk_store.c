/* chunk_store: chunks as rows. */

#include "model/chunk_store.h"

#include <stddef.h>
#include <string.h>

#include "model/partition.h"

enum { INSERT, SMALL, LIST, LOAD, DELETE };

/* $1 variable $2 month $3 next month; the index begins with last_us. */
#define OF_PLACE                                                               \
	" WHERE variable_id = $1 AND last_us >= $2"                            \
	" AND first_us >= $2 AND first_us < $3"
/* $4 last_us $5 id: several chunks, found by the index */
#define OF_ROWS                                                                \
	" WHERE variable_id = $1 AND first_us >= $2 AND first_us < $3"         \
	" AND last_us = ANY($4) AND id = ANY($5)"

const struct stmt chunk_store_stmts[] = {
	[INSERT] = {"chunk_insert", "IIIDDDDDDIINNNB",
		"INSERT INTO chunk (id, first_us, last_us, minimum, maximum"
		"     , first_value, last_value, total, integral, good_us"
		"     , worst, variable_id, samples, good, body)"
		" SELECT coalesce(nullif(c.id, 0), nextval('chunk_id_seq'))"
		"     , first_us"
		"     , last_us"
		"     , nullif(minimum, 'NaN')"
		"     , nullif(maximum, 'NaN')"
		"     , nullif(first_value, 'NaN')"
		"     , nullif(last_value, 'NaN')"
		"     , total"
		"     , integral"
		"     , good_us"
		"     , worst"
		"     , variable_id"
		"     , samples"
		"     , good"
		"     , body"
		"  FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11"
		"     , $12, $13, $14, $15) AS c (id, first_us, last_us"
		"     , minimum, maximum, first_value, last_value, total"
		"     , integral, good_us, worst, variable_id, samples, good"
		"     , body)"},
	/* $1 month $2 next month $3 chunks $4 samples */
	[SMALL] = {"chunk_find_small", "iiii",
		"SELECT variable_id"
		"  FROM chunk"
		" WHERE first_us >= $1 AND first_us < $2 AND samples < 2048"
		" GROUP BY variable_id"
		" HAVING count(*) >= $3 OR sum(samples) >= $4"
		" ORDER BY variable_id"},
	[LIST] = {"chunk_list", "nii",
		"SELECT id"
		"     , first_us"
		"     , last_us"
		"     , samples"
		"  FROM chunk" OF_PLACE " ORDER BY first_us, id"},
	[LOAD] = {"chunk_load", "niiII",
		"SELECT id"
		"     , body"
		"  FROM chunk" OF_ROWS},
	[DELETE] = {"chunk_delete", "niiII", "DELETE FROM chunk" OF_ROWS},
	STMT_END,
};

/* One field of all rows as an array, for unnest. */
static void *
gather(struct arena *arena, const struct chunk_row *rows, size_t count,
	size_t offset, size_t bytes)
{
	char *column = arena_array(arena, count, bytes);

	for (size_t i = 0; i < count; i++)
		memcpy(column + i * bytes, (const char *)&rows[i] + offset,
			bytes);
	return column;
}

#define FIELD(field)                                                           \
	offsetof(struct chunk_row, field),                                     \
		sizeof(((const struct chunk_row *)NULL)->field)
#define INTS(field)   P_INTS(gather(arena, rows, count, FIELD(field)), count)
#define SHORTS(field) P_SHORTS(gather(arena, rows, count, FIELD(field)), count)
#define NUMS(field)   P_NUMS(gather(arena, rows, count, FIELD(field)), count)
#define BLOBS(field)  P_BLOBS(gather(arena, rows, count, FIELD(field)), count)

enum rc
chunk_insert(struct db *db, struct arena *arena, const struct chunk_row *rows,
	size_t count, struct fault *fault)
{
	return db_exec(db, &chunk_store_stmts[INSERT],
		PARAMS(INTS(id), INTS(summary.first_us), INTS(summary.last_us),
			NUMS(summary.minimum), NUMS(summary.maximum),
			NUMS(summary.first_value), NUMS(summary.last_value),
			NUMS(summary.total), NUMS(summary.integral),
			INTS(summary.good_us), INTS(summary.worst),
			SHORTS(variable_id), SHORTS(summary.samples),
			SHORTS(summary.good), BLOBS(body)),
		NULL, fault);
}

enum rc
chunk_find_small(struct db *db, struct arena *arena, int64_t month_us,
	int64_t chunks, int64_t samples, int32_t **variables, size_t *count,
	struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &chunk_store_stmts[SMALL],
		PARAMS(P_INT(month_us), P_INT(partition_next_month(month_us)),
			P_INT(chunks), P_INT(samples)),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*variables = arena_array(arena, *count, sizeof(**variables));
	for (size_t i = 0; i < *count; i++)
		(*variables)[i] = (int32_t)rows_int(rows, i, 0);
	return RC_OK;
}

enum rc
chunk_list(struct db *db, struct arena *arena, const struct chunk_place *place,
	struct chunk_row **list, size_t *count, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &chunk_store_stmts[LIST],
		PARAMS(P_SHORT(place->variable_id), P_INT(place->month_us),
			P_INT(partition_next_month(place->month_us))),
		&rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	*list = arena_array(arena, *count, sizeof(**list));
	for (size_t i = 0; i < *count; i++) {
		struct chunk_row *row = &(*list)[i];

		row->id = rows_int(rows, i, 0);
		row->variable_id = place->variable_id;
		row->summary.first_us = rows_int(rows, i, 1);
		row->summary.last_us = rows_int(rows, i, 2);
		row->summary.samples = (uint32_t)rows_int(rows, i, 3);
	}
	return RC_OK;
}

/* The parameters of OF_ROWS. */
static void
put_rows(struct arena *arena, const struct chunk_place *place,
	const struct chunk_row *rows, size_t count, struct param items[5])
{
	items[0] = P_SHORT(place->variable_id);
	items[1] = P_INT(place->month_us);
	items[2] = P_INT(partition_next_month(place->month_us));
	items[3] = INTS(summary.last_us);
	items[4] = INTS(id);
}

enum rc
chunk_load(struct db *db, struct arena *arena, const struct chunk_place *place,
	struct chunk_row *list, size_t count, struct fault *fault)
{
	struct param items[5];
	struct rows *rows;
	size_t found = 0;
	enum rc rc;

	put_rows(arena, place, list, count, items);
	rc = db_query(db, arena, &chunk_store_stmts[LOAD],
		(struct params){5, items}, &rows, fault);
	if (rc != RC_OK)
		return rc;
	for (size_t k = 0; k < rows_count(rows); k++)
		for (size_t i = 0; i < count; i++)
			if (list[i].id == rows_int(rows, k, 0)) {
				list[i].body = rows_bytes(rows, k, 1);
				found++;
			}
	return found == count
		       ? RC_OK
		       : fault_set(fault, RC_RETRY,
				 "%zu of %zu chunks are there", found, count);
}

enum rc
chunk_delete(struct db *db, struct arena *arena,
	const struct chunk_place *place, const struct chunk_row *rows,
	size_t count, struct fault *fault)
{
	struct param items[5];
	int64_t deleted;
	enum rc rc;

	put_rows(arena, place, rows, count, items);
	rc = db_exec(db, &chunk_store_stmts[DELETE], (struct params){5, items},
		&deleted, fault);
	if (rc == RC_OK && deleted != (int64_t)count)
		return fault_set(fault, RC_RETRY, "%lld of %zu chunks deleted",
			(long long)deleted, count);
	return rc;
}
