/*
 * hub_apply: stored frames into the process image, each once and in order.
 */
#ifndef FG_FCGI_HUB_APPLY_H
#define FG_FCGI_HUB_APPLY_H

#include "fcgi/hub.h"
#include "fcgi/hub_nodes.h"
#include "model/frame_store.h"

/* Put one frame into the image. What cannot be decoded is logged and left
 * out: it was checked before it was stored. */
void hub_apply_frame(struct hub *hub, struct arena *scratch, int64_t node_id,
	int64_t sequence, int64_t received_us, struct bytes frame);

/* Put in what is stored of the node but not in the image, up to "sequence".
 * Needs: node->lock. Fails: RC_UNAVAILABLE, RC_DB. */
MUST_CHECK enum rc hub_apply_missing(struct hub *hub, struct db *db,
	struct arena *arena, struct hub_node *node, int64_t sequence,
	struct fault *fault);

/* The same for every node; frames that another hub stored come this way. */
MUST_CHECK enum rc hub_apply_all_missing(struct hub *hub, struct db *db,
	struct arena *arena, struct fault *fault);

#endif
