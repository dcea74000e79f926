/* checkpoint: the process image in the database. */

#include "model/checkpoint.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "model/chunk.h"

/* Chunks are asked for by this many variables at once. */
#define STEP 256

enum { WRITE, READ, CHUNKS };

const struct stmt checkpoint_stmts[] = {
	[WRITE] = {"checkpoint_write", "tb", /* $1 hub $2 body */
		"INSERT INTO image_checkpoint (hub, body) VALUES ($1, $2)"
		" ON CONFLICT (hub) DO UPDATE"
		"   SET body = $2"
		"     , taken_at = now()"},
	[READ] = {"checkpoint_read", "t", /* $1 hub */
		"SELECT body FROM image_checkpoint WHERE hub = $1"},
	[CHUNKS] = {"checkpoint_chunks", "NI", /* $1 variables $2 their times */
		"SELECT v.id"
		"     , c.body"
		"  FROM unnest($1, $2) AS v (id, time_us)"
		"  CROSS JOIN LATERAL ("
		"       SELECT body FROM chunk"
		"        WHERE variable_id = v.id AND last_us > v.time_us"
		"        ORDER BY last_us DESC, id DESC LIMIT 1) c"},
	STMT_END,
};

enum rc
checkpoint_write(struct db *db, const char *hub, struct image *image,
	struct fault *fault)
{
	struct buf body;
	enum rc rc;

	buf_init(&body, (size_t)512 * 1024 * 1024);
	image_save(image, &body);
	if (body.overflow)
		rc = fault_set(fault, RC_TOO_LARGE, "the image is too large");
	else
		rc = db_exec(db, &checkpoint_stmts[WRITE],
			PARAMS(P_TEXT(hub), P_BYTES(body.data, body.length)),
			NULL, fault);
	buf_free(&body);
	return rc;
}

enum rc
checkpoint_read(struct db *db, struct arena *arena, const char *hub,
	struct image *image, struct fault *fault)
{
	struct rows *rows;
	struct bytes body;
	enum rc rc = db_query(db, arena, &checkpoint_stmts[READ],
		PARAMS(P_TEXT(hub)), &rows, fault);

	if (rc != RC_OK || rows_count(rows) == 0)
		return rc;
	body = rows_bytes(rows, 0, 0);
	if (image_load(image, body.data, body.length, fault) != RC_OK)
		log_warn(NULL, "%s; going on without it", fault->text);
	return RC_OK;
}

static void
put_last(
	struct image *image, struct arena *arena, int32_t id, struct bytes body)
{
	struct chunk_columns columns;
	struct sample sample;
	struct fault fault;

	if (chunk_decode(body.data, body.length, arena, &columns, &fault) !=
			RC_OK ||
		columns.count == 0) {
		log_error(
			NULL, "last chunk of variable %d: %s", id, fault.text);
		return;
	}
	sample = chunk_sample(&columns, id, columns.count - 1);
	image_begin(image);
	image_put(image, &sample, sample.time_us);
	image_end(image, 0, 0);
}

static enum rc
read_some(struct db *db, struct image *image, const int32_t *ids,
	const int64_t *times, size_t count, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct rows *rows;
	enum rc rc = db_query(db, arena, &checkpoint_stmts[CHUNKS],
		PARAMS(P_SHORTS(ids, count), P_INTS(times, count)), &rows,
		fault);

	for (size_t i = 0; rc == RC_OK && i < rows_count(rows); i++)
		put_last(image, arena, (int32_t)rows_int(rows, i, 0),
			rows_bytes(rows, i, 1));
	arena_free(arena);
	return rc;
}

/* The ids and times of all variables. */
static size_t
list_variables(struct image *image, struct arena *arena, int32_t **ids,
	int64_t **times)
{
	struct image_datasource *const *datasources;
	size_t datasource_count;
	size_t count = 0;

	image_read_lock(image);
	datasource_count = image_datasources(image, &datasources);
	for (size_t i = 0; i < datasource_count; i++)
		count += datasources[i]->count;
	*ids = arena_array(arena, count, sizeof(**ids));
	*times = arena_array(arena, count, sizeof(**times));
	count = 0;
	for (size_t i = 0; i < datasource_count; i++)
		for (size_t k = 0; k < datasources[i]->count; k++, count++) {
			const struct image_variable *variable =
				datasources[i]->variables[k];

			(*ids)[count] = variable->meta.id;
			(*times)[count] = variable->value.kind != VALUE_NONE
						  ? variable->time_us
						  : INT64_MIN;
		}
	image_unlock(image);
	return count;
}

enum rc
checkpoint_read_chunks(struct db *db, struct arena *arena, struct image *image,
	struct fault *fault)
{
	int64_t *times;
	int32_t *ids;
	size_t count = list_variables(image, arena, &ids, &times);
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i += STEP)
		rc = read_some(db, image, ids + i, times + i,
			count - i < STEP ? count - i : STEP, fault);
	return rc;
}
