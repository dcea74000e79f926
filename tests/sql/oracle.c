/* oracle: a datasource with variables, its frames, and the oracle. */

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/encode.h"
#include "model/frame.h"
#include "tests/sql/oracle.h"

const struct stmt oracle_stmts[] = {
	[ORACLE_DATASOURCE] = {"oracle_datasource", "ut",
		"INSERT INTO datasource (uuid, name) VALUES ($1, $2)"
		" RETURNING id"},
	[ORACLE_VARIABLE] = {"oracle_variable", "ntn",
		"INSERT INTO variable (datasource_id, name, kind)"
		" VALUES ($1, $2, $3) RETURNING id"},
	[ORACLE_FRAME] = {"oracle_frame", "niiinib",
		"INSERT INTO frame (node_id, datasource_id, sequence"
		"     , first_us, last_us, samples, crc, body)"
		" VALUES (1, $1, $2, $3, $4, $5, $6, $7)"},
	[ORACLE_COUNT_FRAMES] = {"oracle_count_frames", "",
		"SELECT count(*) FROM frame"},
	[ORACLE_COUNT_CHUNKS] = {"oracle_count_chunks", "",
		"SELECT count(*) FROM chunk"},
	[ORACLE_COUNT_SAMPLES] = {"oracle_count_samples", "",
		"SELECT coalesce(sum(samples), 0) FROM chunk"},
	[ORACLE_COUNT_PARTITIONS] = {"oracle_count_partitions", "",
		"SELECT count(*) - 1 FROM pg_inherits"
		" WHERE inhparent = 'frame'::regclass"},
	STMT_END,
};

static int32_t
insert_id(struct oracle *oracle, int stmt, struct params params)
{
	struct rows *rows;
	struct fault fault = {0};

	if (db_find(oracle->db, oracle->arena, &oracle_stmts[stmt], params,
		    &rows, &fault) != RC_OK)
		fail_msg("%s", fault.text);
	return (int32_t)rows_int(rows, 0, 0);
}

void
oracle_open(struct oracle *oracle, struct db *db, const char *name)
{
	uint8_t uuid[UUID_BYTES];

	memset(oracle, 0, sizeof(*oracle));
	oracle->db = db;
	oracle->arena = arena_new();
	uuid_random(uuid);
	oracle->datasource_id = insert_id(
		oracle, ORACLE_DATASOURCE, PARAMS(P_UUID(uuid), P_TEXT(name)));
	for (int kind = 1; kind <= ORACLE_VARIABLES; kind++)
		oracle->ids[kind - 1] = insert_id(oracle, ORACLE_VARIABLE,
			PARAMS(P_SHORT(oracle->datasource_id),
				P_TEXT(arena_printf(
					oracle->arena, "v%d", kind)),
				P_SHORT(kind)));
}

void
oracle_close(struct oracle *oracle)
{
	free(oracle->sent);
	arena_free(oracle->arena);
}

static void
remember(struct oracle *oracle, const struct sample *sample)
{
	struct value *value;

	if (oracle->count == oracle->room) {
		oracle->room = oracle->room * 2 + 1024;
		oracle->sent = realloc(
			oracle->sent, oracle->room * sizeof(*oracle->sent));
		assert_non_null(oracle->sent);
	}
	oracle->sent[oracle->count] = *sample;
	value = &oracle->sent[oracle->count++].value;
	if (value->kind == VALUE_STRING)
		value->string.data =
			arena_strdup(oracle->arena, value->string.data);
}

void
oracle_send(struct oracle *oracle, const struct sample *samples, size_t count)
{
	struct frame_head head = {
		.spool_id = 1, .sequence = ++oracle->sequence};
	const struct frame_content content = {
		.samples = samples, .sample_count = count};
	struct fault fault = {0};
	struct buf body;

	buf_init(&body, 0);
	if (frame_encode(&head, &content,
		    oracle->sequence % 2 ? FRAME_ZSTD : FRAME_PLAIN, &body,
		    &fault) != RC_OK ||
		frame_peek(body.data, body.length, &head, &fault) != RC_OK ||
		db_exec(oracle->db, &oracle_stmts[ORACLE_FRAME],
			PARAMS(P_SHORT(oracle->datasource_id),
				P_INT(head.sequence), P_INT(head.first_us),
				P_INT(head.last_us),
				P_SHORT((int32_t)head.samples), P_INT(head.crc),
				P_BYTES(body.data, body.length)),
			NULL, &fault) != RC_OK)
		fail_msg("%s", fault.text);
	buf_free(&body);
	for (size_t i = 0; i < count; i++)
		remember(oracle, &samples[i]);
}

static bool
is_same(const struct sample *left, const struct sample *right)
{
	return left->time_us == right->time_us &&
	       left->status == right->status &&
	       value_equal(&left->value, &right->value);
}

/* Insertion by time behind its equals; unless one of them is the same. */
static size_t
insert(struct sample *list, size_t count, const struct sample *sample)
{
	size_t place = count;

	while (place > 0 && list[place - 1].time_us > sample->time_us)
		place--;
	for (size_t i = place; i > 0; i--) {
		if (list[i - 1].time_us != sample->time_us)
			break;
		if (is_same(&list[i - 1], sample))
			return count;
	}
	memmove(list + place + 1, list + place,
		(count - place) * sizeof(*list));
	list[place] = *sample;
	return count + 1;
}

struct sample *
oracle_expect(const struct oracle *oracle, struct arena *arena,
	int32_t variable_id, int64_t from_us, int64_t to_us, size_t *count)
{
	struct sample *list =
		arena_array(arena, oracle->count + 1, sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < oracle->count; i++) {
		const struct sample *sample = &oracle->sent[i];

		if (sample->variable_id == variable_id &&
			sample->time_us >= from_us && sample->time_us < to_us)
			*count = insert(list, *count, sample);
	}
	return list;
}

int64_t
oracle_count(struct oracle *oracle, int stmt)
{
	struct rows *rows;
	struct fault fault = {0};

	if (db_find(oracle->db, oracle->arena, &oracle_stmts[stmt], NO_PARAMS,
		    &rows, &fault) != RC_OK)
		fail_msg("%s", fault.text);
	return rows_int(rows, 0, 0);
}
