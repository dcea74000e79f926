/*
 * presence: the processes of fieldgrid-hub over one database, which of them
 * holds the stream of which node, and the events about that.
 *
 * A process shows that it lives by a number that rises; how long a number has
 * stood still the others count themselves (fcgi/hub_peers.h), and name those
 * that live, as texts of UUIDs, "alive". A node that has had a stream is told
 * as connected, and as disconnected when no process that lives has one.
 */
#ifndef FG_MODEL_PRESENCE_H
#define FG_MODEL_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"
#include "lib/encode.h"

extern const struct stmt presence_stmts[];

/* A process of a hub. */
struct presence_run {
	char id[UUID_TEXT_BYTES];
	const char *name; /* of the hub */
	int64_t beats;
	int64_t beat_us; /* by the database's clock */
};

struct presence_runs {
	size_t count;
	const struct presence_run *items;
};

struct presence_alive {
	size_t count;
	const char *const *ids;
};

/* All calls below fail: RC_UNAVAILABLE, RC_DB, RC_RETRY. */

/* This process lives; *fresh: nobody knew of it, and now its start is an
 * event. "runs" are all that are known, this one among them. */
MUST_CHECK enum rc presence_beat(struct db *db, struct arena *arena,
	const char *run, const char *hub, bool *fresh,
	struct presence_runs *runs, struct fault *fault);

/* This process ends, and its streams with it. */
MUST_CHECK enum rc presence_end(struct db *db, struct arena *arena,
	const char *run, const char *hub, struct fault *fault);

/* Another process has ended without a word: forget it, unless it has beaten
 * since. One of those who ask writes the event. */
MUST_CHECK enum rc presence_bury(struct db *db, struct arena *arena,
	const struct presence_run *dead, struct fault *fault);

/* --- streams ---------------------------------------------------------------
 */

struct presence_stream {
	int64_t node_id;
	const char *address;
};

/* Who had the stream of a node until now. */
struct presence_before {
	int64_t node_id;
	const char *run; /* NULL = nobody */
};

/*
 * These nodes have their streams here now; "before" has as many items, in any
 * order, less those of nodes that are gone. Those that were away are told.
 */
MUST_CHECK enum rc presence_claim(struct db *db, struct arena *arena,
	const char *run, const char *hub, const struct presence_stream *streams,
	size_t count, const struct presence_before **before,
	size_t *before_count, struct fault *fault);

/* These nodes have no stream here any more. */
MUST_CHECK enum rc presence_release(struct db *db, const char *run,
	const int32_t *node_ids, size_t count, struct fault *fault);

/* Nodes that have their streams here and were told as disconnected: others
 * took this process for dead. */
MUST_CHECK enum rc presence_mistaken(struct db *db, struct arena *arena,
	const char *run, const int32_t **node_ids, size_t *count,
	struct fault *fault);

/* Nodes that were told as connected and have no stream anywhere. */
MUST_CHECK enum rc presence_absent(struct db *db, struct arena *arena,
	const struct presence_alive *alive, const int32_t **node_ids,
	size_t *count, struct fault *fault);

/* Tell that these are disconnected, unless they are back or it was told. */
MUST_CHECK enum rc presence_tell_absent(struct db *db, struct arena *arena,
	const struct presence_alive *alive, const int32_t *node_ids,
	size_t count, struct fault *fault);

/* --- messages --------------------------------------------------------------
 */

#define PRESENCE_CHANNEL       "fieldgrid_hub_" /* and the run's id */
#define PRESENCE_MESSAGE_BYTES 7900

/* Send messages to other processes: to runs[i] the text texts[i]. They arrive
 * when the transaction is committed; what nobody listens to is lost. */
MUST_CHECK enum rc presence_send(struct db *db, const char *const *runs,
	const char *const *texts, size_t count, struct fault *fault);

#endif
