/* feed_era: between two restores of the database, cursors of feeds are good. */

#include "model/feed_era.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK, CUT, POSITIONS };

const struct stmt feed_era_stmts[] = {
	[CHECK] = {"feed_era_check", "", "SELECT feed_era_check(false)"},
	/* $1 era: the one after it, or the newest when it is not known */
	[CUT] = {"feed_era_cut", "i",
		"SELECT ordinal"
		"     , base"
		"     , frame_id"
		"  FROM feed_era"
		" WHERE ordinal > coalesce("
		"       (SELECT ordinal FROM feed_era WHERE id = $1),"
		"       (SELECT max(ordinal) - 1 FROM feed_era))"
		" ORDER BY ordinal LIMIT 1"},
	[POSITIONS] = {"feed_era_positions", "i", /* $1 ordinal */
		"SELECT node_id"
		"     , sequence"
		"  FROM feed_era_position"
		" WHERE ordinal = $1"},
	STMT_END,
};

enum rc
feed_era_check(
	struct db *db, struct arena *arena, int64_t *era, struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(
		db, arena, &feed_era_stmts[CHECK], NO_PARAMS, &rows, fault);

	if (rc == RC_OK)
		*era = rows_int(rows, 0, 0);
	return rc;
}

enum rc
feed_era_renew(struct db *db, bool restored, struct fault *fault)
{
	return db_script(db,
		restored ? "SELECT feed_era_check(true)"
			 : "SELECT feed_era_check(false)",
		fault);
}

const char *
feed_era_write(struct arena *arena, int64_t era, const char *cursor)
{
	return arena_printf(arena, "e%" PRIx64 ".%s", (uint64_t)era, cursor);
}

enum rc
feed_era_read(const char *text, int64_t *era, const char **cursor,
	struct fault *fault)
{
	size_t digits =
		text[0] == 'e' ? strspn(text + 1, "0123456789abcdef") : 0;

	if (digits < 1 || digits > 15 || text[digits + 1] != '.')
		return fault_tell(fault, RC_BAD_INPUT, "CursorInvalid",
			"cursor",
			"The cursor is not one that this endpoint gave out.");
	*era = (int64_t)strtoull(text + 1, NULL, 16);
	*cursor = text + digits + 2;
	return RC_OK;
}

/* --- cutting off -------------------------------------------------------- */

struct cut {
	int64_t ordinal;
	int64_t base;
	int64_t frame_id;
};

static enum rc
find_cut(struct db *db, struct arena *arena, int64_t era, struct cut *cut,
	struct fault *fault)
{
	struct rows *rows;
	enum rc rc = db_query(db, arena, &feed_era_stmts[CUT],
		PARAMS(P_INT(era)), &rows, fault);

	if (rc != RC_OK)
		return rc;
	if (rows_count(rows) == 0)
		return fault_set(fault, RC_RETRY, "the era has just begun");
	*cut = (struct cut){rows_int(rows, 0, 0), rows_int(rows, 0, 1),
		rows_int(rows, 0, 2)};
	return RC_OK;
}

/* A fill that was not followed: what came late is looked for anew. */
static void
cut_source(struct feed_source *source, int64_t sequence, int64_t frame_id)
{
	if (source->sequence > sequence)
		source->sequence = sequence;
	if (source->id > frame_id)
		source->id = frame_id;
	source->fills = -1;
}

enum rc
feed_era_cut_cursor(struct db *db, struct arena *arena, int64_t era,
	struct feed_cursor *cursor, struct fault *fault)
{
	int64_t *sequences =
		arena_array(arena, cursor->count, sizeof(*sequences));
	struct rows *rows = NULL;
	struct cut cut;
	enum rc rc = find_cut(db, arena, era, &cut, fault);

	if (rc == RC_OK)
		rc = db_query(db, arena, &feed_era_stmts[POSITIONS],
			PARAMS(P_INT(cut.ordinal)), &rows, fault);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < rows_count(rows); i++) {
		const struct feed_source *source =
			feed_cursor_find(cursor, (int32_t)rows_int(rows, i, 0));

		if (source != NULL)
			sequences[source - cursor->sources] =
				rows_int(rows, i, 1);
	}
	for (size_t i = 0; i < cursor->count; i++)
		cut_source(&cursor->sources[i], sequences[i], cut.frame_id);
	return RC_OK;
}

enum rc
feed_era_cut_look(struct db *db, struct arena *arena, int64_t era,
	const char *none, struct feed_look *look, struct fault *fault)
{
	struct cut cut;
	enum rc rc = find_cut(db, arena, era, &cut, fault);

	if (rc == RC_OK)
		feed_look_cut(arena, cut.base, none, look);
	return rc;
}
