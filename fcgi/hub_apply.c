/* hub_apply: stored frames into the process image, each once and in order. */

#include "fcgi/hub_apply.h"

#include "fcgi/hub_feed_news.h"
#include "lib/log.h"

struct target {
	struct hub *hub;
	int64_t received_us;
	int32_t datasource_id; /* 0 = nothing was put yet */
};

static enum rc
put_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct target *target = context;
	struct image *image = target->hub->image;
	const struct image_variable *variable =
		image_variable(image, samples->variable_id);

	(void)fault;
	if (variable != NULL)
		target->datasource_id = variable->meta.datasource_id;
	for (size_t i = 0; i < count; i++)
		image_put(image, &samples[i], target->received_us);
	return RC_OK;
}

void
hub_apply_frame(struct hub *hub, struct arena *scratch, int64_t node_id,
	int64_t sequence, int64_t received_us, struct bytes frame)
{
	struct target target = {hub, received_us, 0};
	struct frame_visitor visitor = {
		.samples = put_samples,
		.context = &target,
	};
	struct fault fault;

	image_begin(hub->image);
	if (frame_each(frame.data, frame.length, scratch, &visitor, &fault) !=
		RC_OK)
		log_error(NULL, "frame %lld of node %lld: %s",
			(long long)sequence, (long long)node_id, fault.text);
	image_end(hub->image, node_id, sequence);
	if (target.datasource_id != 0)
		hub_feed_news_note(hub, target.datasource_id, HUB_FEED_VALUES);
}

static enum rc
replay_some(struct hub *hub, struct db *db, int64_t node_id, int64_t upto,
	bool *more, struct fault *fault)
{
	struct arena *arena = arena_new();
	struct arena *scratch = arena_new();
	struct frame_stored *frames;
	size_t count = 0;
	enum rc rc = frame_replay(db, arena, node_id,
		image_position(hub->image, node_id), &frames, &count, fault);

	*more = false;
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		if (frames[i].sequence > upto)
			break;
		hub_apply_frame(hub, scratch, node_id, frames[i].sequence,
			frames[i].received_us, frames[i].body);
		arena_reset(scratch);
		*more = true;
	}
	arena_free(scratch);
	arena_free(arena);
	return rc;
}

enum rc
hub_apply_missing(struct hub *hub, struct db *db, struct arena *arena,
	struct hub_node *node, int64_t sequence, struct fault *fault)
{
	bool more = true;
	enum rc rc = RC_OK;

	(void)arena;
	while (rc == RC_OK && more)
		rc = replay_some(hub, db, node->id, sequence, &more, fault);
	if (rc == RC_OK)
		node->behind = false;
	return rc;
}

static enum rc
apply_one(struct hub *hub, struct db *db, struct arena *arena,
	const struct frame_position *position, struct fault *fault)
{
	struct hub_node *node = hub_nodes_get(hub->nodes, position->node_id);
	enum rc rc = RC_OK;

	if (image_position(hub->image, position->node_id) >= position->sequence)
		return RC_OK;
	pthread_mutex_lock(&node->lock);
	if (image_position(hub->image, position->node_id) < position->sequence)
		rc = hub_apply_missing(
			hub, db, arena, node, position->sequence, fault);
	pthread_mutex_unlock(&node->lock);
	return rc;
}

enum rc
hub_apply_all_missing(struct hub *hub, struct db *db, struct arena *arena,
	struct fault *fault)
{
	struct frame_position *positions;
	size_t count;
	enum rc rc = frame_positions(db, arena, &positions, &count, fault);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = apply_one(hub, db, arena, &positions[i], fault);
	return rc;
}
