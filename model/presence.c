/* presence: which process of the hub holds the stream of which node. */

#include "model/presence.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "model/event.h"

enum {
	BEAT,
	RUNS,
	END,
	BURY,
	CLAIM,
	RELEASE,
	RELEASE_ALL,
	ABSENT,
	TELL_ABSENT,
	MISTAKEN,
	SEND,
};

#define NOT_HELD "told AND (run IS NULL OR run::text <> ALL ($1::text[]))"

const struct stmt presence_stmts[] = {
	/* $1 run $2 name */
	[BEAT] = {"presence_beat", "tt",
		"INSERT INTO hub_run AS r (id, name) VALUES ($1::uuid, $2)"
		" ON CONFLICT (id) DO UPDATE"
		"   SET beats = r.beats + 1, beat_at = clock_timestamp()"
		" RETURNING beats"},
	[RUNS] = {"presence_runs", "",
		"SELECT id::text, name, beats, beat_at FROM hub_run"},
	[END] = {"presence_end", "t", /* $1 run */
		"DELETE FROM hub_run WHERE id = $1::uuid"},
	[BURY] = {"presence_bury", "ti", /* $1 run $2 beats */
		"DELETE FROM hub_run WHERE id = $1::uuid AND beats = $2"},
	/* $1 run $2 hub $3 nodes $4 addresses */
	[CLAIM] = {"presence_claim", "ttNT",
		"WITH want AS (SELECT n.id, n.name, w.address"
		"         FROM unnest($3, $4) AS w (node_id, address)"
		"         JOIN node n ON n.id = w.node_id)"
		", before AS (SELECT s.* FROM node_stream s"
		"         JOIN want ON want.id = s.node_id"
		"        ORDER BY s.node_id FOR UPDATE OF s)"
		", put AS ("
		" INSERT INTO node_stream (node_id, run, hub, address, told)"
		" SELECT id, $1::uuid, $2, address, true FROM want ORDER BY id"
		" ON CONFLICT (node_id) DO UPDATE"
		"   SET run = excluded.run, hub = excluded.hub"
		"     , address = excluded.address, told = true"
		"     , opened_at = clock_timestamp(), ended_at = NULL)"
		"SELECT w.name, w.address, coalesce(b.told, false), w.id"
		"     , b.run::text"
		"  FROM want w LEFT JOIN before b ON b.node_id = w.id"},
	/* $1 run $2 nodes */
	[RELEASE] = {"presence_release", "tN",
		"UPDATE node_stream"
		"   SET run = NULL, ended_at = clock_timestamp()"
		" WHERE node_id = ANY ($2) AND run = $1::uuid"},
	[RELEASE_ALL] = {"presence_release_all", "t", /* $1 run */
		"UPDATE node_stream"
		"   SET run = NULL, ended_at = clock_timestamp()"
		" WHERE run = $1::uuid"},
	[ABSENT] = {"presence_absent", "T", /* $1 alive */
		"SELECT node_id FROM node_stream WHERE " NOT_HELD},
	/* $1 alive $2 nodes. What ended without a word did so when it was last
	 * heard of. */
	[TELL_ABSENT] = {"presence_tell_absent", "TN",
		"WITH gone AS (UPDATE node_stream SET told = false"
		"        WHERE node_id = ANY ($2) AND " NOT_HELD " RETURNING *)"
		"SELECT n.name, g.address"
		"     , greatest(g.opened_at, least(g.ended_at, s.seen_at))"
		"  FROM gone g JOIN node n ON n.id = g.node_id"
		"  LEFT JOIN node_status s ON s.node_id = g.node_id"
		" ORDER BY n.name"},
	[MISTAKEN] = {"presence_mistaken", "t", /* $1 run */
		"SELECT node_id FROM node_stream"
		" WHERE run = $1::uuid AND NOT told"},
	/* $1 runs $2 texts */
	[SEND] = {"presence_send", "TT",
		"SELECT pg_notify('" PRESENCE_CHANNEL "' || m.run, m.text)"
		"  FROM unnest($1, $2) WITH ORDINALITY"
		"    AS m (run, text, place) ORDER BY m.place"},
	STMT_END,
};

/* --- processes -------------------------------------------------------------
 */

static enum rc
tell_hub(struct db *db, struct arena *arena, const char *hub, const char *kind,
	const char *words, int64_t time_us, struct fault *fault)
{
	const struct event_new event = {.time_us = time_us,
		.kind = kind,
		.text = arena_printf(arena, "hub %s %s", hub, words),
		.computer = hub};

	return event_write(db, arena, &event, 1, fault);
}

static enum rc
read_runs(struct db *db, struct arena *arena, struct presence_runs *runs,
	struct fault *fault)
{
	struct presence_run *items;
	struct rows *rows = NULL;
	enum rc rc = db_query(
		db, arena, &presence_stmts[RUNS], NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	runs->count = rows_count(rows);
	items = arena_array(arena, runs->count + 1, sizeof(*items));
	runs->items = items;
	for (size_t i = 0; i < runs->count; i++) {
		snprintf(items[i].id, sizeof(items[i].id), "%s",
			rows_text(rows, i, 0));
		items[i].name = rows_text(rows, i, 1);
		items[i].beats = rows_int(rows, i, 2);
		items[i].beat_us = rows_time(rows, i, 3);
	}
	return RC_OK;
}

enum rc
presence_beat(struct db *db, struct arena *arena, const char *run,
	const char *hub, bool *fresh, struct presence_runs *runs,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_find(db, arena, &presence_stmts[BEAT],
		PARAMS(P_TEXT(run), P_TEXT(hub)), &rows, fault);
	*fresh = rc == RC_OK && rows_int(rows, 0, 0) == 0;
	if (*fresh)
		rc = tell_hub(db, arena, hub, "hub.started", "is at work",
			CLOCK_NEVER, fault);
	if (rc == RC_OK)
		rc = db_commit(db, fault);
	else
		db_rollback(db);
	return rc == RC_OK ? read_runs(db, arena, runs, fault) : rc;
}

enum rc
presence_end(struct db *db, struct arena *arena, const char *run,
	const char *hub, struct fault *fault)
{
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &presence_stmts[RELEASE_ALL], PARAMS(P_TEXT(run)),
		NULL, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &presence_stmts[END], PARAMS(P_TEXT(run)),
			NULL, fault);
	if (rc == RC_OK)
		rc = tell_hub(db, arena, hub, "hub.stopped", "was stopped",
			CLOCK_NEVER, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

enum rc
presence_bury(struct db *db, struct arena *arena,
	const struct presence_run *dead, struct fault *fault)
{
	int64_t buried = 0;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_exec(db, &presence_stmts[BURY],
		PARAMS(P_TEXT(dead->id), P_INT(dead->beats)), &buried, fault);
	if (rc == RC_OK && buried > 0)
		rc = tell_hub(db, arena, dead->name, "hub.lost",
			"has ended without a word", dead->beat_us, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

/* --- streams ---------------------------------------------------------------
 */

static struct event_new
connected(struct arena *arena, const char *node, const char *address)
{
	return (struct event_new){.time_us = CLOCK_NEVER,
		.kind = "node.connected",
		.text = arena_printf(arena, "node %s is connected", node),
		.value = "connected",
		.old_value = "disconnected",
		.computer = address};
}

static enum rc
tell_claimed(struct db *db, struct arena *arena, const struct rows *rows,
	struct fault *fault)
{
	struct event_new *events =
		arena_array(arena, rows_count(rows) + 1, sizeof(*events));
	size_t count = 0;

	for (size_t i = 0; i < rows_count(rows); i++)
		if (!rows_bool(rows, i, 2))
			events[count++] = connected(arena,
				rows_text(rows, i, 0), rows_text(rows, i, 1));
	return event_write(db, arena, events, count, fault);
}

static enum rc
claim(struct db *db, struct arena *arena, const char *run, const char *hub,
	const struct presence_stream *streams, size_t count, struct rows **rows,
	struct fault *fault)
{
	int32_t *ids = arena_array(arena, count, sizeof(*ids));
	const char **addresses = arena_array(arena, count, sizeof(*addresses));

	for (size_t i = 0; i < count; i++) {
		ids[i] = (int32_t)streams[i].node_id;
		addresses[i] = streams[i].address;
	}
	return db_query(db, arena, &presence_stmts[CLAIM],
		PARAMS(P_TEXT(run), P_TEXT(hub), P_SHORTS(ids, count),
			P_TEXTS(addresses, count)),
		rows, fault);
}

static void
take_before(struct arena *arena, const struct rows *rows,
	const struct presence_before **before, size_t *count)
{
	struct presence_before *items =
		arena_array(arena, rows_count(rows) + 1, sizeof(*items));

	*count = rows_count(rows);
	*before = items;
	for (size_t i = 0; i < *count; i++)
		items[i] = (struct presence_before){
			rows_int(rows, i, 3), rows_text(rows, i, 4)};
}

enum rc
presence_claim(struct db *db, struct arena *arena, const char *run,
	const char *hub, const struct presence_stream *streams, size_t count,
	const struct presence_before **before, size_t *before_count,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = claim(db, arena, run, hub, streams, count, &rows, fault);
	if (rc == RC_OK)
		rc = tell_claimed(db, arena, rows, fault);
	if (rc != RC_OK) {
		db_rollback(db);
		return rc;
	}
	take_before(arena, rows, before, before_count);
	return db_commit(db, fault);
}

enum rc
presence_release(struct db *db, const char *run, const int32_t *node_ids,
	size_t count, struct fault *fault)
{
	return db_exec(db, &presence_stmts[RELEASE],
		PARAMS(P_TEXT(run), P_SHORTS(node_ids, count)), NULL, fault);
}

static enum rc
find_nodes(struct db *db, struct arena *arena, const struct stmt *stmt,
	struct params params, const int32_t **node_ids, size_t *count,
	struct fault *fault)
{
	int32_t *ids;
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, stmt, params, &rows, fault);

	if (rc != RC_OK)
		return rc;
	*count = rows_count(rows);
	ids = arena_array(arena, *count + 1, sizeof(*ids));
	for (size_t i = 0; i < *count; i++)
		ids[i] = (int32_t)rows_int(rows, i, 0);
	*node_ids = ids;
	return RC_OK;
}

enum rc
presence_mistaken(struct db *db, struct arena *arena, const char *run,
	const int32_t **node_ids, size_t *count, struct fault *fault)
{
	return find_nodes(db, arena, &presence_stmts[MISTAKEN],
		PARAMS(P_TEXT(run)), node_ids, count, fault);
}

enum rc
presence_absent(struct db *db, struct arena *arena,
	const struct presence_alive *alive, const int32_t **node_ids,
	size_t *count, struct fault *fault)
{
	return find_nodes(db, arena, &presence_stmts[ABSENT],
		PARAMS(P_TEXTS(alive->ids, alive->count)), node_ids, count,
		fault);
}

static enum rc
tell_gone(struct db *db, struct arena *arena, const struct rows *rows,
	struct fault *fault)
{
	size_t count = rows_count(rows);
	struct event_new *events =
		arena_array(arena, count + 1, sizeof(*events));

	for (size_t i = 0; i < count; i++)
		events[i] = (struct event_new){.time_us = rows_time(rows, i, 2),
			.kind = "node.disconnected",
			.text = arena_printf(arena, "node %s is disconnected",
				rows_text(rows, i, 0)),
			.value = "disconnected",
			.old_value = "connected",
			.computer = rows_text(rows, i, 1)};
	return event_write(db, arena, events, count, fault);
}

enum rc
presence_tell_absent(struct db *db, struct arena *arena,
	const struct presence_alive *alive, const int32_t *node_ids,
	size_t count, struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	if (rc != RC_OK)
		return rc;
	rc = db_query(db, arena, &presence_stmts[TELL_ABSENT],
		PARAMS(P_TEXTS(alive->ids, alive->count),
			P_SHORTS(node_ids, count)),
		&rows, fault);
	if (rc == RC_OK)
		rc = tell_gone(db, arena, rows, fault);
	if (rc == RC_OK)
		return db_commit(db, fault);
	db_rollback(db);
	return rc;
}

/* --- messages --------------------------------------------------------------
 */

enum rc
presence_send(struct db *db, const char *const *runs, const char *const *texts,
	size_t count, struct fault *fault)
{
	return db_exec(db, &presence_stmts[SEND],
		PARAMS(P_TEXTS(runs, count), P_TEXTS(texts, count)), NULL,
		fault);
}
