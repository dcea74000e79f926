/*
 * egress_writes: values that the other side wants written, on their way to the
 * plants as commands under the rights of this node.
 *
 * They go one after the other over a connection of their own, so the mirror
 * never waits for one. What cannot be sent in time is dropped and said so:
 * nothing is written later than its sender would expect.
 */
#ifndef FG_AGENTS_EGRESS_WRITES_H
#define FG_AGENTS_EGRESS_WRITES_H

#include "agents/hub.h"
#include "agents/mirror.h"

#define EGRESS_WRITES_MAX 64
#define EGRESS_WRITE_MS   10000 /* a command expires after this */

struct egress_writes;

/* How a write ended: RC_OK, else why. */
struct egress_written {
	const char *shown;
	enum rc rc;
	const char *code; /* of the hub: "PlantOffline"; "" = none */
	const char *text; /* for people */
};

/* Called by the thread of the writes. */
typedef void egress_written_fn(
	void *context, const struct egress_written *written);

/*
 * "options" and "mirror" must stay until egress_writes_close.
 * Fails: as hub_open; RC_IO there is no thread.
 */
MUST_CHECK enum rc egress_writes_open(const struct hub_options *options,
	struct mirror *mirror, struct egress_writes **writes,
	struct fault *fault);
/* No "done" is called any more and nothing is taken; NULL is allowed. */
void egress_writes_end(struct egress_writes *writes);
void egress_writes_close(struct egress_writes *writes);

/* How many more may be put now; only what sends them makes it more. */
size_t egress_writes_room(struct egress_writes *writes);

/*
 * Write "value", JSON text, to the variable of that name at this side; from
 * any thread. "done" may be NULL. False when too many wait already.
 */
bool egress_writes_put(struct egress_writes *writes, const char *shown,
	const char *value, egress_written_fn *done, void *context);

#endif
