/* node: how far an enrolled machine has come, and how it is. */

#include "model/node.h"

#include "lib/clock.h"

enum {
	POSITION_FIND,
	NOTE_BEAT,
	NOTE_SEEN,
	NOTE_CERTIFICATE,
	MAY_PUBLISH,
	PLACE_FIND,
	PLACE_KEEP,
};

const struct stmt node_stmts[] = {
	[POSITION_FIND] = {"node_position_find", "n", /* $1 node */
		"SELECT last_sequence"
		"     , spool_id"
		"  FROM node_position"
		" WHERE node_id = $1"},
	/* $1 node $2 address $3 version $4 frames $5 bytes $6 oldest $7 lost
	 * $8 clock offset */
	[NOTE_BEAT] = {"node_note_beat", "nttiizii",
		"INSERT INTO node_status AS s (node_id, seen_at, address"
		"     , version, spool_frames, spool_bytes, spool_oldest_at"
		"     , lost_samples, clock_offset_us)"
		" VALUES ($1, now(), $2, $3, $4, $5, $6, $7, $8)"
		" ON CONFLICT (node_id) DO UPDATE"
		"   SET seen_at = now()"
		"     , address = $2"
		"     , version = $3"
		"     , spool_frames = $4"
		"     , spool_bytes = $5"
		"     , spool_oldest_at = $6"
		"     , lost_samples = $7"
		"     , clock_offset_us = $8"},
	[NOTE_SEEN] = {"node_note_seen", "I", /* $1 nodes */
		"INSERT INTO node_status (node_id, seen_at)"
		" SELECT n::integer, now() FROM unnest($1) AS n ORDER BY n"
		" ON CONFLICT (node_id) DO UPDATE SET seen_at = now()"},
	/* $1 fingerprint $2 public key $3 begin. What is in use takes the place
	 * of what was. */
	[NOTE_CERTIFICATE] = {"node_note_certificate", "bbz",
		"WITH seen AS ("
		" UPDATE node_certificate"
		"    SET seen_at = now()"
		"      , key_hash = coalesce(key_hash, $2)"
		"      , not_before = coalesce(not_before, $3)"
		"  WHERE fingerprint = $1 AND seen_at IS NULL"
		"  RETURNING node_id, issued_at)"
		" UPDATE node_certificate AS old"
		"    SET revoked_at = now(), reason = 'superseded'"
		"   FROM seen"
		"  WHERE old.node_id = seen.node_id"
		"    AND old.fingerprint <> $1"
		"    AND old.issued_at <= seen.issued_at"
		"    AND old.revoked_at IS NULL"},
	[MAY_PUBLISH] = {"node_may_publish", "nn", /* $1 node $2 datasource */
		"SELECT 1"
		"  FROM node_datasource l"
		"  JOIN node n ON n.id = l.node_id"
		" WHERE l.node_id = $1 AND l.datasource_id = $2 AND l.publish"
		"   AND n.state = 'authorised'"},
	[PLACE_FIND] = {"node_place_find", "n", /* $1 node */
		"SELECT place FROM node_position WHERE node_id = $1"},
	[PLACE_KEEP] = {"node_place_keep", "nt", /* $1 node $2 place */
		"INSERT INTO node_position (node_id, place) VALUES ($1, $2)"
		" ON CONFLICT (node_id) DO UPDATE SET place = $2"
		" WHERE node_position.place <> $2"},
	STMT_END,
};

enum rc
node_position_find(struct db *db, struct arena *arena, int64_t node_id,
	struct node_position *position, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &node_stmts[POSITION_FIND],
		PARAMS(P_SHORT(node_id)), &rows, fault);

	*position = (struct node_position){0, 0};
	if (rc != RC_OK || rows_count(rows) == 0)
		return rc;
	position->sequence = rows_int(rows, 0, 0);
	position->spool_id = (uint64_t)rows_int(rows, 0, 1);
	return RC_OK;
}

enum rc
node_note_beat(struct db *db, int64_t node_id, const struct node_beat *beat,
	struct fault *fault)
{
	return db_exec(db, &node_stmts[NOTE_BEAT],
		PARAMS(P_SHORT(node_id), P_TEXT(beat->address),
			P_TEXT(beat->version), P_INT(beat->spool_frames),
			P_INT(beat->spool_bytes), P_TIME(beat->oldest_us),
			P_INT(beat->lost_samples),
			P_INT(beat->clock_offset_us)),
		NULL, fault);
}

enum rc
node_note_certificate(
	struct db *db, const struct tls_facts *facts, struct fault *fault)
{
	return db_exec(db, &node_stmts[NOTE_CERTIFICATE],
		PARAMS(P_BYTES(facts->fingerprint, TLS_FINGERPRINT_BYTES),
			P_BYTES(facts->key_hash, sizeof(facts->key_hash)),
			P_TIME(facts->not_before_us)),
		NULL, fault);
}

enum rc
node_note_seen(struct db *db, const int64_t *node_ids, size_t count,
	struct fault *fault)
{
	if (count == 0)
		return RC_OK;
	return db_exec(db, &node_stmts[NOTE_SEEN],
		PARAMS(P_INTS(node_ids, count)), NULL, fault);
}

enum rc
node_may_publish(struct db *db, struct arena *arena, int64_t node_id,
	int32_t datasource_id, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_find(db, arena, &node_stmts[MAY_PUBLISH],
		PARAMS(P_SHORT(node_id), P_SHORT(datasource_id)), &rows, fault);

	if (rc == RC_NOT_FOUND)
		return fault_tell(fault, RC_DENIED, "DatasourceNotAllowed",
			"datasource",
			"This node may not publish that datasource.");
	return rc;
}

enum rc
node_place_find(struct db *db, struct arena *arena, int64_t node_id,
	const char **place, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &node_stmts[PLACE_FIND],
		PARAMS(P_SHORT(node_id)), &rows, fault);

	if (rc == RC_OK)
		*place = rows_count(rows) > 0 ? rows_text(rows, 0, 0) : "";
	return rc;
}

enum rc
node_place_keep(struct db *db, int64_t node_id, const char *place,
	bool *changed, struct fault *fault)
{
	int64_t rows = 0;
	enum rc rc = db_exec(db, &node_stmts[PLACE_KEEP],
		PARAMS(P_SHORT(node_id), P_TEXT(place)), &rows, fault);

	*changed = rows > 0;
	return rc;
}
