/* feed_dropped: frames that the keeper dropped before a reader had them. */

#include "lib/clock.h"
#include "model/feed_parts.h"

enum { FIRST };

const struct stmt feed_dropped_stmts[] = {
	/* $1 sender $2 sequence: what is left behind it */
	[FIRST] = {"feed_first", "ni",
		"SELECT sequence"
		"     , first_us"
		"  FROM frame"
		" WHERE node_id = $1 AND sequence > $2"
		" ORDER BY sequence LIMIT 1"},
	STMT_END,
};

/* A sender that is new to the reader is read from where it begins. */
static bool
is_expired(const struct sender *sender)
{
	const struct feed_source *read = &sender->read;

	if (!sender->known)
		return false;
	if (!sender->reader)
		return read->sequence < sender->last_sequence ||
		       read->fills != sender->fills;
	return sender->noted &&
	       (read->sequence < sender->taken ||
		       read->sequence < sender->lost_sequence ||
		       read->id < sender->lost_id);
}

static int64_t
greater(int64_t one, int64_t other)
{
	return one > other ? one : other;
}

/* What the keeper noted when it dropped them, else all since the cursor. */
static void
measure(const struct sender *sender, int64_t left_us, struct feed_lost *lost)
{
	bool counted = sender->noted && sender->lost_id > 0;

	*lost = (struct feed_lost){
		.node_id = sender->read.node_id,
		.first_us = counted ? sender->lost_first_us
				    : sender->read.last_us + 1,
		.last_us = counted ? sender->lost_last_us : left_us,
	};
}

/* Move to the first frame that is left. */
static enum rc
skip(struct db *db, struct arena *arena, struct sender *sender,
	struct feed_lost *lost, struct fault *fault)
{
	struct feed_source *read = &sender->read;
	int64_t left_us = clock_now_us();
	struct rows *rows;
	enum rc rc;

	read->sequence = greater(
		read->sequence, greater(sender->taken, sender->lost_sequence));
	read->id = greater(read->id, sender->lost_id);
	rc = db_query(db, arena, &feed_dropped_stmts[FIRST],
		PARAMS(P_SHORT(read->node_id), P_INT(read->sequence)), &rows,
		fault);
	if (rc != RC_OK)
		return rc;
	if (rows_count(rows) > 0)
		left_us = rows_int(rows, 0, 1) - 1;
	measure(sender, left_us, lost);
	if (!sender->reader) {
		read->fills = sender->fills;
		read->sequence = rows_count(rows) > 0 ? rows_int(rows, 0, 0) - 1
						      : sender->last_sequence;
	}
	return RC_OK;
}

enum rc
feed_check_dropped(struct db *db, struct arena *arena, struct senders *senders,
	bool resume, struct feed_page *page, struct fault *fault)
{
	enum rc rc = RC_OK;

	page->lost = arena_array(arena, senders->count, sizeof(*page->lost));
	for (size_t i = 0;
		rc == RC_OK && page->lost_count == 0 && i < senders->count;
		i++) {
		if (!is_expired(&senders->items[i]))
			continue;
		if (!resume)
			return fault_tell(fault, RC_CONFLICT, "FeedExpired",
				"cursor",
				"Frames behind the cursor were dropped; send "
				"\"resume\": true and fill from history.");
		rc = skip(db, arena, &senders->items[i],
			&page->lost[page->lost_count++], fault);
	}
	return rc;
}
