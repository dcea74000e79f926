/* hub_frames: POST /hub/v1/frames, from the body to the commit and on into
 * the process image. */

#include "fcgi/hub.h"
#include "fcgi/hub_apply.h"
#include "fcgi/hub_batch.h"
#include "fcgi/hub_counters.h"
#include "fcgi/hub_news.h"
#include "lib/clock.h"

/* What has just been stored; also what was stored before and is not in the
 * image, because the hub or its connection broke in between. */
static void
apply_batch(struct hub *hub, struct hub_node *node,
	const struct hub_batch *batch, struct arena *scratch)
{
	int64_t received_us = clock_now_us();

	for (size_t i = 0; i < batch->count; i++) {
		const struct frame_row *row = &batch->rows[i];

		if (row->stored ||
			row->head.sequence >
				image_position(hub->image, node->id)) {
			hub_apply_frame(hub, scratch, node->id,
				row->head.sequence, received_us, row->body);
			arena_reset(scratch);
		}
	}
}

static bool
has_news(const struct hub_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->rows[i].alarm_count + batch->rows[i].event_count > 0)
			return true;
	return false;
}

/* Needs: node->lock. */
static enum rc
store_and_apply(struct hub *hub, struct req *req, struct hub_node *node,
	struct hub_batch *batch, int64_t *sequence)
{
	struct frame_batch frames = {
		.node_id = node->id,
		.spool_id = batch->rows[0].head.spool_id,
		.rows = batch->rows,
		.count = batch->count,
	};
	struct arena *scratch;
	enum rc rc = frame_store(
		req->db, req->arena, &frames, sequence, &req->fault);

	if (rc != RC_OK && rc != RC_CONFLICT)
		node->behind = true;
	if (rc != RC_OK)
		return rc;
	if (has_news(batch))
		hub_news_wake(hub->news);
	if (node->behind &&
		hub_apply_missing(hub, req->db, req->arena, node,
			batch->rows[0].head.sequence - 1, &req->fault) != RC_OK)
		return RC_OK; /* it is stored; the watch thread goes on */
	scratch = arena_new();
	apply_batch(hub, node, batch, scratch);
	arena_free(scratch);
	return RC_OK;
}

static enum rc
take_frames(struct hub *hub, struct req *req, int64_t *sequence)
{
	struct hub_node *node = hub_nodes_get(hub->nodes, req->caller->id);
	struct hub_batch *batch = arena_alloc(req->arena, sizeof(*batch));
	enum rc rc = hub_node_check_place(node, req);

	if (rc == RC_OK)
		rc = hub_batch_read(hub, req, node, batch);
	if (rc != RC_OK)
		return rc;
	pthread_mutex_lock(&node->lock);
	rc = store_and_apply(hub, req, node, batch, sequence);
	pthread_mutex_unlock(&node->lock);
	if (rc != RC_OK)
		return rc;
	atomic_store(&node->seen, true);
	hub_counters_frames(hub->counters, batch->count, batch->samples);
	return RC_OK;
}

enum rc
hub_frames_post(struct req *req, struct resp *resp)
{
	struct hub *hub;
	struct jsonw *json;
	int64_t sequence = 0;
	enum rc rc = hub_ready(req, &hub);

	if (rc == RC_OK)
		rc = take_frames(hub, req, &sequence);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_int(json, "sequence", sequence);
	jsonw_close_obj(json);
	return RC_OK;
}
