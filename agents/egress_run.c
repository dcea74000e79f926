/* egress_run: from the hub's feeds to the outlet. */

#include "agents/egress_run.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agents/sender.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/secret.h"
#include "model/frame.h"

#define BEAT_US   (2 * CLOCK_SECOND_US)
#define REMIND_US (60 * CLOCK_SECOND_US)
#define SLICE_US  (CLOCK_SECOND_US / 20) /* of a wait, to see "stop" */

static bool
is_stopping(const struct egress *egress)
{
	return atomic_load(egress->stop);
}

static void
wait_us(const struct egress *egress, int64_t time_us)
{
	int64_t until_us = clock_steady_us() + time_us;

	while (!is_stopping(egress)) {
		int64_t left_us = until_us - clock_steady_us();
		int64_t nap_us = left_us < SLICE_US ? left_us : SLICE_US;
		const struct timespec nap = {0, (long)nap_us * 1000};

		if (left_us <= 0)
			return;
		nanosleep(&nap, NULL);
	}
}

/* --- frames -------------------------------------------------------------- */

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

/* Until this holds, a failure makes everything be put again. */
static enum rc
commit(struct egress *egress, struct fault *fault)
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

/* *again: the page was not put, ask for it once more. */
static enum rc
put_page(struct egress *egress, const struct egress_page *page, bool *again,
	struct fault *fault)
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

/* --- gaps ---------------------------------------------------------------- */

/* An event of the mirror itself, among those of the plants. */
static enum rc
tell(struct egress *egress, const char *kind, const char *text,
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

static void
want_fill(struct egress *egress, int64_t from_us, int64_t to_us)
{
	struct egress_position *position = &egress->position;

	if (!position->filling || from_us < position->fill_from_us)
		position->fill_from_us = from_us;
	if (!position->filling || to_us > position->fill_to_us)
		position->fill_to_us = to_us;
	position->filling = true;
	egress_position_set(&position->fill, "");
}

static enum rc
tell_gap(struct egress *egress, const struct egress_page *page,
	struct fault *fault)
{
	char from[CLOCK_TEXT_BYTES];
	char to[CLOCK_TEXT_BYTES];
	char text[200];

	clock_format(from, page->lost_from_us);
	clock_format(to, page->lost_to_us);
	snprintf(text, sizeof(text),
		"the hub dropped frames that were not mirrored yet; filled "
		"from history: %s to %s",
		from, to);
	want_fill(egress, page->lost_from_us, page->lost_to_us);
	return tell(egress, "feed.filled", text, fault);
}

static enum rc
fill(struct egress *egress, struct fault *fault)
{
	struct egress_position *position = &egress->position;
	struct egress_page page;
	bool again = false;
	enum rc rc = egress_feed_history(&egress->feed, position->fill_from_us,
		position->fill_to_us, position->fill, &page, fault);

	if (rc != RC_OK)
		return rc;
	rc = put_page(egress, &page, &again, fault);
	if (rc == RC_OK && !again) {
		position->filling = page.cursor != NULL;
		egress_position_set(&position->fill,
			page.cursor != NULL ? page.cursor : "");
		rc = commit(egress, fault);
	}
	egress_page_close(&page);
	return rc;
}

/* For an outlet that shows states: what does not change would be missing. */
static enum rc
put_current(struct egress *egress, struct fault *fault)
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

/* --- the feed of frames -------------------------------------------------- */

static enum rc
take_frames(struct egress *egress, const struct egress_page *page, bool *news,
	struct fault *fault)
{
	struct egress_position *position = &egress->position;
	bool first = position->frames[0] == '\0';
	bool again = false;
	enum rc rc = put_page(egress, page, &again, fault);

	*news = again || page->more || page->frames_bytes > 0;
	if (rc == RC_OK && !again && page->lost)
		rc = tell_gap(egress, page, fault);
	if (rc != RC_OK || again || page->cursor == NULL ||
		strcmp(position->frames, page->cursor) == 0)
		return rc;
	egress_position_set(&position->frames, page->cursor);
	if (first && egress->conf->since_us != CLOCK_NEVER)
		want_fill(egress, egress->conf->since_us,
			page->now_us + CLOCK_DAY_US);
	return commit(egress, fault);
}

static enum rc
follow_frames(struct egress *egress, bool *news, struct fault *fault)
{
	int64_t bytes = egress->conf->page_kib * 1024;
	const char *cursor = egress->position.frames;
	enum egress_wish wish = egress->conf->since_us != CLOCK_NEVER
					? EGRESS_UNPACKED
					: EGRESS_GO_ON;
	struct egress_page page;
	enum rc rc = egress_feed_frames(
		&egress->feed, cursor, bytes, wish, &page, fault);

	if (rc == RC_CONFLICT && strcmp(fault->code, "FeedExpired") == 0)
		rc = egress_feed_frames(&egress->feed, cursor, bytes,
			EGRESS_RESUME, &page, fault);
	if (rc != RC_OK)
		return rc;
	rc = take_frames(egress, &page, news, fault);
	egress_page_close(&page);
	return rc;
}

/* --- the feeds of alarms and events ----------------------------------------
 */

static bool
wants(const struct mirror *mirror, enum outlet_list list,
	const char *datasource)
{
	return list == OUTLET_ALARM ? mirror_wants_alarms(mirror, datasource)
				    : mirror_wants_events(mirror, datasource);
}

static enum rc
put_record(struct egress *egress, struct outlet_record *record,
	struct fault *fault)
{
	struct json_object *name = NULL;

	json_object_object_get_ex(record->object, "variableName", &name);
	record->prefix = mirror_prefix(egress->feed.mirror, record->datasource,
		name != NULL ? json_object_get_string(name) : NULL);
	return egress->conf->outlet->record(egress->outlet, record, fault);
}

static enum rc
put_group(struct egress *egress, enum outlet_list list,
	struct json_object *group, struct fault *fault)
{
	struct outlet_record record = {.list = list};
	struct json_object *items = NULL;
	struct json_object *datasource = NULL;
	enum rc rc = RC_OK;

	if (!json_object_object_get_ex(group, "items", &items) ||
		!json_object_object_get_ex(group, "datasource", &datasource))
		return fault_set(
			fault, RC_UPSTREAM, "the hub's list is not understood");
	record.datasource = json_object_get_string(datasource);
	if (!wants(egress->feed.mirror, list, record.datasource))
		return RC_OK;
	for (size_t i = 0; rc == RC_OK && i < json_object_array_length(items);
		i++) {
		record.object = json_object_array_get_idx(items, i);
		rc = put_record(egress, &record, fault);
	}
	return rc;
}

/* A cursor that moved over nothing is kept by the next commit. */
static enum rc
take_list(struct egress *egress, enum outlet_list list,
	const struct egress_page *page, bool *news, struct fault *fault)
{
	struct egress_position *position = &egress->position;
	char **cursor =
		list == OUTLET_ALARM ? &position->alarms : &position->events;
	bool first = (*cursor)[0] == '\0';
	struct json_object *groups = NULL;
	size_t count = 0;
	enum rc rc = RC_OK;

	if (json_object_object_get_ex(page->head, "groups", &groups))
		count = json_object_array_length(groups);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = put_group(egress, list,
			json_object_array_get_idx(groups, i), fault);
	*news |= page->more || count > 0;
	if (rc != RC_OK || page->cursor == NULL)
		return rc;
	egress_position_set(cursor, page->cursor);
	return count > 0 || first || page->more ? commit(egress, fault) : RC_OK;
}

static enum rc
follow_list(struct egress *egress, enum outlet_list list, bool *news,
	struct fault *fault)
{
	const struct egress_position *position = &egress->position;
	bool alarms = list == OUTLET_ALARM;
	struct egress_page page;
	enum rc rc;

	if (!wants(egress->feed.mirror, list, NULL))
		return RC_OK;
	rc = egress_feed_list(&egress->feed, alarms ? "alarms" : "events",
		alarms ? position->alarms : position->events, &page, fault);
	if (rc != RC_OK)
		return rc;
	rc = take_list(egress, list, &page, news, fault);
	egress_page_close(&page);
	return rc;
}

/* --- running ------------------------------------------------------------- */

static enum rc
beat(struct egress *egress, struct fault *fault)
{
	const struct spool_status none = {.oldest_us = CLOCK_NEVER};

	egress->beat_due_us = clock_steady_us() + BEAT_US;
	return hub_beat(egress->feed.hub, &none, fault);
}

/* The feed goes on with the certificate that there is. */
static void
renew(struct egress *egress)
{
	const struct spool_status none = {.oldest_us = CLOCK_NEVER};
	struct fault fault = {0};

	if (renewal_run(&egress->renewal, egress->feed.hub, &none, &fault) !=
		RC_OK)
		log_warn(NULL, "the certificate was not renewed: %s",
			fault.text);
}

static enum rc
connect_hub(struct egress *egress, struct fault *fault)
{
	enum rc rc = beat(egress, fault);

	if (rc == RC_OK)
		rc = egress_feed_variables(&egress->feed, fault);
	if (rc == RC_OK && egress->conf->outlet->wants_current)
		rc = put_current(egress, fault);
	if (rc != RC_OK)
		return rc;
	egress->connected = true;
	log_info(NULL, "connected to %s, %zu variables",
		hub_url(egress->feed.hub), egress->feed.mirror->known);
	return RC_OK;
}

static enum rc
follow_all(struct egress *egress, bool *news, struct fault *fault)
{
	enum rc rc = RC_OK;

	*news = false;
	if (mirror_wants_values(egress->feed.mirror))
		rc = follow_frames(egress, news, fault);
	if (rc == RC_OK)
		rc = follow_list(egress, OUTLET_ALARM, news, fault);
	if (rc == RC_OK)
		rc = follow_list(egress, OUTLET_EVENT, news, fault);
	return rc;
}

/* What was put and not committed is put again. */
static enum rc
restore(struct egress *egress, struct fault *fault)
{
	struct egress_position *position = &egress->position;
	enum rc rc;

	egress_position_free(position);
	egress_position_init(position);
	rc = egress_position_load(position, egress->conf->state_folder, fault);
	if (rc == RC_OK)
		rc = egress->conf->outlet->undo(egress->outlet,
			position->stored ? position->outlet : NULL, fault);
	egress->broken = rc != RC_OK;
	return rc;
}

static enum rc
step(struct egress *egress, bool *news, struct fault *fault)
{
	*news = true;
	if (egress->broken)
		return restore(egress, fault);
	if (!egress->connected && renewal_waits(&egress->renewal))
		renew(egress);
	if (!egress->connected)
		return connect_hub(egress, fault);
	if (renewal_is_due(&egress->renewal))
		renew(egress);
	if (clock_steady_us() >= egress->beat_due_us)
		return beat(egress, fault);
	if (egress->position.filling)
		return fill(egress, fault);
	return follow_all(egress, news, fault);
}

/* The same words are said once a minute only. */
static void
complain(struct egress *egress, const struct fault *fault)
{
	int64_t now_us = clock_steady_us();

	if (strcmp(egress->last_failure, fault->text) == 0 &&
		now_us - egress->reminded_us < REMIND_US)
		return;
	egress->reminded_us = now_us;
	memcpy(egress->last_failure, fault->text, sizeof(fault->text));
	if (fault->rc == RC_UNAVAILABLE)
		log_warn(NULL, "%s", fault->text);
	else
		log_error(NULL, "%s", fault->text);
}

static double
draw(void)
{
	uint32_t number;

	secret_random(&number, sizeof(number));
	return (double)number / (double)UINT32_MAX;
}

static void
back_off(struct egress *egress)
{
	size_t urls = hub_url_count(egress->feed.hub);

	egress->connected = false;
	egress->broken = true;
	egress->asked = false;
	egress->failures++;
	hub_turn(egress->feed.hub);
	if (egress->failures % urls == 0)
		wait_us(egress,
			sender_backoff_us(
				egress->failures / (unsigned)urls, draw()));
}

void
egress_run(struct egress *egress)
{
	while (!is_stopping(egress)) {
		struct fault fault = {0};
		bool news = false;
		enum rc rc = step(egress, &news, &fault);

		if (rc != RC_OK && is_stopping(egress))
			break;
		if (rc != RC_OK) {
			complain(egress, &fault);
			back_off(egress);
			continue;
		}
		egress->failures = 0;
		if (!news)
			wait_us(egress, egress->conf->poll_ms * 1000);
	}
}
