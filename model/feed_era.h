/*
 * feed_era: between two restores of the database, cursors of feeds are good.
 *
 * A restored database gives out numbers again that cursors speak of already
 * (sql/0013). So each cursor begins with the id of its era, and one of another
 * era is cut off at what was there when the next one began: what is behind
 * that was not read, whatever the cursor says.
 */
#ifndef FG_MODEL_FEED_ERA_H
#define FG_MODEL_FEED_ERA_H

#include "lib/db.h"
#include "model/feed_cursor.h"

extern const struct stmt feed_era_stmts[];

/* The id of the era, of a new one when the database was restored. */
MUST_CHECK enum rc feed_era_check(
	struct db *db, struct arena *arena, int64_t *era, struct fault *fault);

/* The same for the owner of the tables, before any statement is prepared;
 * "restored": an older copy was put in place that does not show it. */
MUST_CHECK enum rc feed_era_renew(
	struct db *db, bool restored, struct fault *fault);

/* A cursor with its era in front. Lives in "arena". */
const char *feed_era_write(
	struct arena *arena, int64_t era, const char *cursor);

/* "cursor" points into "text". Fails: RC_BAD_INPUT CursorInvalid. */
MUST_CHECK enum rc feed_era_read(const char *text, int64_t *era,
	const char **cursor, struct fault *fault);

/* Cut a cursor of frames, or a look at a list, of another era. */
MUST_CHECK enum rc feed_era_cut_cursor(struct db *db, struct arena *arena,
	int64_t era, struct feed_cursor *cursor, struct fault *fault);
MUST_CHECK enum rc feed_era_cut_look(struct db *db, struct arena *arena,
	int64_t era, const char *none, struct feed_look *look,
	struct fault *fault);

#endif
