/* egress_put: from pages of the hub's feeds to the outlet. */

#include "agents/egress_parts.h"

#include <json-c/json.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "model/frame.h"

static enum rc
look_for_unknown(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct egress *egress = context;

	(void)count;
	(void)fault;
	if (mirror_find(egress->feed.mirror, samples->variable_id) == NULL)
		egress->unknown++;
	return RC_OK;
}

static enum rc
put_samples(void *context, const struct sample *samples, size_t count,
	struct fault *fault)
{
	struct egress *egress = context;
	const struct outlet *outlet = egress->conf->outlet;
	const struct mirror_variable *variable =
		mirror_find(egress->feed.mirror, samples->variable_id);
	enum rc rc = RC_OK;

	if (variable == NULL)
		return RC_OK; /* not ours any more */
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = outlet->value(
			egress->outlet, variable, &samples[i], fault);
	egress->values += count;
	return rc;
}

static enum rc
each_frame(struct egress *egress, const struct egress_page *page,
	const struct frame_visitor *visitor, struct fault *fault)
{
	size_t at = 0;
	enum rc rc = RC_OK;

	while (rc == RC_OK && at < page->frames_bytes) {
		struct frame_head head;

		rc = frame_peek(page->frames + at, page->frames_bytes - at,
			&head, fault);
		if (rc == RC_OK)
			rc = frame_each(page->frames + at, head.total_bytes,
				egress->scratch, visitor, fault);
		at += rc == RC_OK ? head.total_bytes : 0;
		arena_reset(egress->scratch);
	}
	return rc;
}

/* Is everything in the page known? Asking makes the page invalid. */
static enum rc
learn_unknown(struct egress *egress, const struct egress_page *page,
	bool *learned, struct fault *fault)
{
	const struct frame_visitor visitor = {
		.samples = look_for_unknown, .context = egress};
	enum rc rc;

	*learned = false;
	egress->unknown = 0;
	rc = each_frame(egress, page, &visitor, fault);
	if (rc != RC_OK || egress->unknown == 0 || egress->asked)
		return rc;
	*learned = true;
	egress->asked = true;
	return egress_feed_variables(&egress->feed, fault);
}

enum rc
egress_commit(struct egress *egress, struct fault *fault)
{
	struct buf own;
	enum rc rc;

	buf_init(&own, 0);
	rc = egress->conf->outlet->commit(egress->outlet, &own, fault);
	if (rc == RC_OK)
		egress_position_set(&egress->position.outlet,
			own.data != NULL ? own.data : "");
	buf_free(&own);
	return rc == RC_OK ? egress_position_save(&egress->position,
				     egress->conf->state_folder, fault)
			   : rc;
}

enum rc
egress_put_page(struct egress *egress, const struct egress_page *page,
	bool *again, struct fault *fault)
{
	const struct frame_visitor visitor = {
		.samples = put_samples, .context = egress};
	enum rc rc = learn_unknown(egress, page, again, fault);

	if (rc == RC_OK && !*again) {
		egress->asked = false;
		rc = each_frame(egress, page, &visitor, fault);
	}
	return rc;
}

enum rc
egress_put_current(struct egress *egress, struct fault *fault)
{
	const struct frame_visitor visitor = {
		.samples = put_samples, .context = egress};
	struct egress_page page;
	enum rc rc = egress_feed_values(&egress->feed, &page, fault);

	if (rc != RC_OK)
		return rc;
	rc = each_frame(egress, &page, &visitor, fault);
	egress_page_close(&page);
	return rc;
}

enum rc
egress_put_own_event(struct egress *egress, const char *kind, const char *text,
	struct fault *fault)
{
	struct json_object *object = json_object_new_object();
	char time[CLOCK_TEXT_BYTES];
	struct outlet_record record = {.list = OUTLET_EVENT,
		.datasource = egress->feed.mirror->rows[0].datasource,
		.prefix = "",
		.object = object};
	enum rc rc;

	log_warn(NULL, "%s: %s", kind, text);
	clock_format(time, clock_now_us());
	json_object_object_add(
		object, "receivedTime", json_object_new_string(time));
	json_object_object_add(object, "kind", json_object_new_string(kind));
	json_object_object_add(object, "text", json_object_new_string(text));
	rc = egress->conf->outlet->record(egress->outlet, &record, fault);
	json_object_put(object);
	return rc;
}
