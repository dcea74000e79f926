/*
 * node_event: what becomes of nodes, as events of the grid.
 */
#ifndef FG_MODEL_NODE_EVENT_H
#define FG_MODEL_NODE_EVENT_H

#include "model/event.h"

/* Who did it; NULL = nobody, unknown. */
struct node_event_by {
	const char *username;
	const char *computer;
};

/*
 * Write the event of an action as the audit names it ("node.block" becomes
 * node.blocked), in the open transaction; most actions leave none.
 * Fails: as event_write.
 */
MUST_CHECK enum rc node_event_write(struct db *db, struct arena *arena,
	const char *action, const char *node, const struct node_event_by *by,
	struct fault *fault);

#endif
