/* audit_verify: was the audit changed behind our back? */

#include "model/audit_verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "model/audit_row.h"

#define BATCH_ROWS 2000

enum { STMT_CHAIN, STMT_START, STMT_BESIDE, STMT_LOST };

const struct stmt audit_verify_stmts[] = {
	/* $1 after position $2 rows */
	[STMT_CHAIN] = {"audit_verify_chain", "in",
		"SELECT link.position, link.hash, "
		"link.entry_id," AUDIT_ROW_COLUMNS "  FROM audit_link AS link"
		"  LEFT JOIN audit_entry AS entry ON entry.id = link.entry_id"
		" WHERE link.position > $1"
		" ORDER BY link.position LIMIT $2"},
	[STMT_START] = {"audit_verify_start", "i", /* $1 position */
		"SELECT hash"
		"     , entry_id"
		"  FROM audit_link WHERE position = $1"},
	/* $1 after id $2 rows */
	[STMT_BESIDE] = {"audit_verify_beside", "in",
		"SELECT entry.id"
		"     , link.entry_id IS NOT NULL"
		"     , pending.entry_id IS NOT NULL"
		"     , entry.at"
		"  FROM (SELECT id, at FROM audit_entry"
		"         WHERE id > $1 ORDER BY id LIMIT $2) AS entry"
		"  LEFT JOIN audit_link AS link ON link.entry_id = entry.id"
		"  LEFT JOIN audit_pending AS pending"
		"    ON pending.entry_id = entry.id"
		" ORDER BY entry.id"},
	[STMT_LOST] = {"audit_verify_lost", "n",
		"SELECT pending.entry_id"
		"  FROM audit_pending AS pending"
		" WHERE NOT EXISTS (SELECT FROM audit_entry AS entry"
		"                    WHERE entry.id = pending.entry_id)"
		" ORDER BY 1 LIMIT $1"},
	STMT_END,
};

/* Checkpoints on the way through the chain. */
struct track {
	const char *origin; /* for the findings */
	struct audit_checkpoint_list list;
	size_t next;
	int64_t *fitting; /* counts those that do */
};

struct check {
	struct db *db;
	struct arena *arena; /* of the findings */
	struct arena *batch;
	const struct audit_verify *what;
	struct audit_report *report;
	struct fault *fault;
	struct buf scratch;
	struct track tracks[2];
	int64_t position; /* of the link seen last */
	int64_t first_id; /* rows with a smaller id are not looked at */
	uint8_t hash[SECRET_HASH_BYTES];
	bool broken; /* the hash before the next link is not known */
};

PRINTF_LIKE(2, 3)
static void
find(struct check *check, const char *format, ...)
{
	struct audit_report *report = check->report;
	char text[320];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (report->findings < AUDIT_FINDINGS_MAX)
		report->texts[report->findings] =
			arena_strdup(check->arena, text);
	report->findings++;
}

/* --- checkpoints ------------------------------------------------------- */

static void
find_checkpoint(struct check *check, const struct track *track,
	const struct audit_checkpoint *checkpoint, const char *what)
{
	char time[CLOCK_TEXT_BYTES];

	clock_format(time, checkpoint->made_us);
	find(check, "checkpoint %s of %s for position %" PRId64 ": %s",
		track->origin, time, checkpoint->position, what);
}

static void
check_signature(struct check *check, const struct track *track,
	const struct audit_checkpoint *checkpoint)
{
	const struct audit_verifiers *verifiers = check->what->verifiers;
	enum audit_trust trust =
		verifiers == NULL
			? AUDIT_TRUSTED
			: audit_checkpoint_trust(checkpoint, verifiers);

	if (trust == AUDIT_FORGED)
		find_checkpoint(
			check, track, checkpoint, "its signature is wrong");
	if (trust == AUDIT_UNKNOWN_KEY)
		find_checkpoint(check, track, checkpoint,
			"it is signed with an unknown key");
	if (trust == AUDIT_TRUSTED)
		++*track->fitting;
}

/* The chain is at "position" now; 0 = at its end. */
static void
follow(struct check *check, struct track *track, int64_t position)
{
	while (track->next < track->list.count) {
		const struct audit_checkpoint *checkpoint =
			&track->list.items[track->next];

		if (position != 0 && checkpoint->position > position)
			return;
		if (position == 0)
			find_checkpoint(check, track, checkpoint,
				"the end of the audit was cut off before it");
		else if (checkpoint->position < position)
			find_checkpoint(check, track, checkpoint,
				"this position is missing");
		else if (memcmp(checkpoint->hash, check->hash,
				 sizeof(check->hash)) != 0)
			find_checkpoint(check, track, checkpoint,
				"the chain was made anew, its hash differs");
		else
			check_signature(check, track, checkpoint);
		track->next++;
	}
}

static void
follow_all(struct check *check, int64_t position)
{
	for (size_t i = 0; i < ARRAY_LENGTH(check->tracks); i++)
		follow(check, &check->tracks[i], position);
}

/* --- the chain --------------------------------------------------------- */

static void
check_hash(struct check *check, const struct rows *rows, size_t at,
	int64_t position)
{
	struct audit_row row = audit_row_take(rows, at, 3);
	uint8_t hash[SECRET_HASH_BYTES];

	if (rows_null(rows, at, 3)) {
		find(check,
			"row %" PRId64 " (position %" PRId64 ") was removed",
			rows_int(rows, at, 2), position);
		return;
	}
	if (check->broken)
		return;
	audit_row_hash(&row, position, check->hash, &check->scratch, hash);
	if (memcmp(hash, rows_bytes(rows, at, 1).data, sizeof(hash)) != 0)
		find(check,
			"row %" PRId64 " (position %" PRId64
			") was edited or is in another place",
			row.id, position);
}

static void
check_link(struct check *check, const struct rows *rows, size_t at)
{
	int64_t position = rows_int(rows, at, 0);

	check->broken = position != check->position + 1;
	if (check->broken)
		find(check,
			"positions %" PRId64 " to %" PRId64
			" of the chain are missing",
			check->position + 1, position - 1);
	check_hash(check, rows, at, position);
	/* Judged by what is stored, so that each finding stands alone. */
	memcpy(check->hash, rows_bytes(rows, at, 1).data, sizeof(check->hash));
	check->position = position;
	check->report->rows++;
	follow_all(check, position);
}

static enum rc
check_chain(struct check *check)
{
	struct rows *rows = NULL;
	size_t count = BATCH_ROWS;
	enum rc rc = RC_OK;

	while (rc == RC_OK && count == BATCH_ROWS) {
		rc = db_query(check->db, check->batch,
			&audit_verify_stmts[STMT_CHAIN],
			PARAMS(P_INT(check->position), P_SHORT(BATCH_ROWS)),
			&rows, check->fault);
		count = rc == RC_OK ? rows_count(rows) : 0;
		for (size_t i = 0; i < count; i++)
			check_link(check, rows, i);
		arena_reset(check->batch);
	}
	check->report->position = check->position;
	return rc;
}

/* --- rows beside the chain --------------------------------------------- */

static void
check_beside(struct check *check, const struct rows *rows, size_t at)
{
	int64_t id = rows_int(rows, at, 0);
	int64_t waits_us = clock_now_us() - rows_time(rows, at, 3);

	if (rows_bool(rows, at, 1))
		return;
	if (!rows_bool(rows, at, 2))
		find(check,
			"row %" PRId64 " is not in the chain: it was added "
			"beside it, or its link was removed",
			id);
	else if (waits_us > AUDIT_LINK_WAIT_S * CLOCK_SECOND_US)
		find(check,
			"row %" PRId64 " waits for its link for %" PRId64
			" s: does the keeper run?",
			id, waits_us / CLOCK_SECOND_US);
}

static enum rc
check_rows(struct check *check)
{
	int64_t after_id = check->first_id;
	struct rows *rows = NULL;
	size_t count = BATCH_ROWS;
	enum rc rc = RC_OK;

	while (rc == RC_OK && count == BATCH_ROWS) {
		rc = db_query(check->db, check->batch,
			&audit_verify_stmts[STMT_BESIDE],
			PARAMS(P_INT(after_id), P_SHORT(BATCH_ROWS)), &rows,
			check->fault);
		count = rc == RC_OK ? rows_count(rows) : 0;
		for (size_t i = 0; i < count; i++)
			check_beside(check, rows, i);
		if (count > 0)
			after_id = rows_int(rows, count - 1, 0);
		arena_reset(check->batch);
	}
	return rc;
}

static enum rc
check_lost(struct check *check)
{
	struct rows *rows = NULL;
	enum rc rc = db_query(check->db, check->batch,
		&audit_verify_stmts[STMT_LOST],
		PARAMS(P_SHORT(AUDIT_FINDINGS_MAX)), &rows, check->fault);

	for (size_t i = 0; rc == RC_OK && i < rows_count(rows); i++)
		find(check, "row %" PRId64 " was removed before it was linked",
			rows_int(rows, i, 0));
	return rc;
}

/* --- all of it --------------------------------------------------------- */

/* Begin "rows_max" before the end, with the hash that is stored there. */
static enum rc
find_start(struct check *check)
{
	struct audit_tip tip;
	struct rows *rows = NULL;
	int64_t start;
	enum rc rc =
		audit_chain_tip(check->db, check->batch, &tip, check->fault);

	start = tip.position - check->what->rows_max;
	if (rc != RC_OK || check->what->rows_max == 0 || start <= 0)
		return rc;
	rc = db_find(check->db, check->batch, &audit_verify_stmts[STMT_START],
		PARAMS(P_INT(start)), &rows, check->fault);
	if (rc == RC_NOT_FOUND)
		return RC_OK; /* then the whole chain */
	if (rc != RC_OK)
		return rc;
	memcpy(check->hash, rows_bytes(rows, 0, 0).data, sizeof(check->hash));
	check->position = start;
	check->first_id = rows_int(rows, 0, 1);
	return RC_OK;
}

/* Those of the part that is looked at; the chain's end is behind them all. */
static enum rc
find_checkpoints(struct check *check)
{
	struct track *table = &check->tracks[0];
	struct track *copies = &check->tracks[1];

	*table = (struct track){.origin = "in the database",
		.fitting = &check->report->checkpoints};
	*copies = (struct track){
		.origin = "in the file", .fitting = &check->report->copies};
	if (check->what->copies != NULL)
		copies->list = *check->what->copies;
	while (copies->next < copies->list.count &&
		copies->list.items[copies->next].position <= check->position)
		copies->next++;
	return audit_checkpoint_query(check->db, check->arena,
		check->position + 1, &table->list, check->fault);
}

static enum rc
check_all(struct check *check)
{
	enum rc rc = find_start(check);

	if (rc == RC_OK)
		rc = find_checkpoints(check);
	if (rc == RC_OK)
		rc = check_chain(check);
	if (rc != RC_OK)
		return rc;
	follow_all(check, 0);
	rc = check_rows(check);
	return rc == RC_OK ? check_lost(check) : rc;
}

enum rc
audit_verify(struct db *db, struct arena *arena,
	const struct audit_verify *what, struct audit_report *report,
	struct fault *fault)
{
	struct check check = {.db = db,
		.arena = arena,
		.batch = arena_new(),
		.what = what,
		.report = report,
		.fault = fault};
	enum rc rc;

	memset(report, 0, sizeof(*report));
	buf_init(&check.scratch, 0);
	rc = db_begin(db, DB_SNAPSHOT_READ_ONLY, fault);
	if (rc == RC_OK)
		rc = check_all(&check);
	db_rollback(db);
	buf_free(&check.scratch);
	arena_free(check.batch);
	return rc;
}
