/*
 * hub_batch: the body of POST /hub/v1/frames, read and checked.
 */
#ifndef FG_FCGI_HUB_BATCH_H
#define FG_FCGI_HUB_BATCH_H

#include "fcgi/hub.h"
#include "fcgi/hub_nodes.h"
#include "model/frame_store.h"

#define HUB_BATCH_FRAMES 64
#define HUB_JSON_TYPE    "application/json"

struct hub_batch {
	struct frame_row rows[HUB_BATCH_FRAMES];
	size_t count;
	uint64_t samples;
};

/*
 * Read the frames of a body in any of its forms and check them in the order
 * of the contract. Everything lives in req->arena.
 * Fails: RC_UNSUPPORTED, RC_TOO_LARGE, RC_BAD_INPUT Frame...; RC_DENIED
 *        DatasourceNotAllowed; RC_UNPROCESSABLE UnknownVariable, WrongType,
 *        TimeOutOfRange; RC_UNAVAILABLE.
 */
MUST_CHECK enum rc hub_batch_read(struct hub *hub, struct req *req,
	struct hub_node *node, struct hub_batch *batch);

#endif
