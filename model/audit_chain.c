/* audit_chain: what makes the audit tamper-evident. */

#include "model/audit_chain.h"

#include <string.h>

#include "model/audit_row.h"

enum { STMT_OWN, STMT_TIP, STMT_PENDING, STMT_LINK, STMT_DONE };

const struct stmt audit_chain_stmts[] = {
	[STMT_OWN] = {"audit_chain_own", "",
		"SELECT pg_try_advisory_xact_lock("
		"hashtext('fieldgrid audit'))"},
	[STMT_TIP] = {"audit_chain_tip", "",
		"SELECT position"
		"     , hash"
		"  FROM audit_link"
		" ORDER BY position DESC LIMIT 1"},
	[STMT_PENDING] = {"audit_chain_pending", "n", /* $1 rows */
		"SELECT" AUDIT_ROW_COLUMNS "  FROM audit_pending"
		"  JOIN audit_entry AS entry"
		"    ON entry.id = audit_pending.entry_id"
		" ORDER BY entry.id LIMIT $1"},
	[STMT_LINK] = {"audit_chain_link", "IIB",
		"INSERT INTO audit_link (position, entry_id, hash)"
		" SELECT * FROM unnest($1, $2, $3)"},
	[STMT_DONE] = {"audit_chain_done", "I",
		"DELETE FROM audit_pending WHERE entry_id = ANY ($1)"},
	STMT_END,
};

/* One batch in the making. */
struct batch {
	struct db *db;
	struct arena *arena;
	struct fault *fault;
	size_t count;
	int64_t *positions;
	int64_t *ids;
	struct bytes *hashes;
};

enum rc
audit_chain_tip(struct db *db, struct arena *arena, struct audit_tip *tip,
	struct fault *fault)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(db, arena, &audit_chain_stmts[STMT_TIP],
		NO_PARAMS, &rows, fault);

	if (rc != RC_OK)
		return rc;
	memset(tip, 0, sizeof(*tip));
	if (rows_count(rows) == 0)
		return RC_OK;
	tip->position = rows_int(rows, 0, 0);
	memcpy(tip->hash, rows_bytes(rows, 0, 1).data, sizeof(tip->hash));
	return RC_OK;
}

static void
compute(struct batch *batch, const struct rows *rows, struct audit_tip *tip)
{
	size_t count = rows_count(rows);
	struct buf scratch;

	batch->count = count;
	batch->positions =
		arena_array(batch->arena, count + 1, sizeof(int64_t));
	batch->ids = arena_array(batch->arena, count + 1, sizeof(int64_t));
	batch->hashes =
		arena_array(batch->arena, count + 1, sizeof(struct bytes));
	buf_init(&scratch, 0);
	for (size_t i = 0; i < count; i++) {
		struct audit_row row = audit_row_take(rows, i, 0);

		tip->position++;
		audit_row_hash(
			&row, tip->position, tip->hash, &scratch, tip->hash);
		batch->positions[i] = tip->position;
		batch->ids[i] = row.id;
		batch->hashes[i] =
			(struct bytes){arena_memdup(batch->arena, tip->hash,
					       sizeof(tip->hash)),
				sizeof(tip->hash)};
	}
	buf_free(&scratch);
}

static enum rc
store(const struct batch *batch)
{
	enum rc rc = db_exec(batch->db, &audit_chain_stmts[STMT_LINK],
		PARAMS(P_INTS(batch->positions, batch->count),
			P_INTS(batch->ids, batch->count),
			P_BLOBS(batch->hashes, batch->count)),
		NULL, batch->fault);

	if (rc != RC_OK)
		return rc;
	return db_exec(batch->db, &audit_chain_stmts[STMT_DONE],
		PARAMS(P_INTS(batch->ids, batch->count)), NULL, batch->fault);
}

static enum rc
link_batch(struct batch *batch)
{
	struct audit_tip tip;
	struct rows *rows = NULL;
	enum rc rc = db_find(batch->db, batch->arena,
		&audit_chain_stmts[STMT_OWN], NO_PARAMS, &rows, batch->fault);

	if (rc != RC_OK || !rows_bool(rows, 0, 0))
		return rc;
	rc = db_query(batch->db, batch->arena, &audit_chain_stmts[STMT_PENDING],
		PARAMS(P_SHORT(AUDIT_CHAIN_BATCH)), &rows, batch->fault);
	if (rc != RC_OK || rows_count(rows) == 0)
		return rc;
	rc = audit_chain_tip(batch->db, batch->arena, &tip, batch->fault);
	if (rc != RC_OK)
		return rc;
	compute(batch, rows, &tip);
	return store(batch);
}

enum rc
audit_chain_link(struct db *db, struct arena *arena, int64_t *linked,
	struct fault *fault)
{
	struct batch batch = {.db = db, .arena = arena, .fault = fault};
	enum rc rc = db_begin(db, DB_READ_COMMITTED, fault);

	*linked = 0;
	if (rc != RC_OK)
		return rc;
	rc = link_batch(&batch);
	if (rc == RC_OK)
		rc = db_commit(db, fault);
	if (rc != RC_OK) {
		db_rollback(db);
		return rc;
	}
	*linked = (int64_t)batch.count;
	return RC_OK;
}
