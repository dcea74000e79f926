/* hub_batch_parts: what the files of hub_batch share. */
#ifndef FG_FCGI_HUB_BATCH_PARTS_H
#define FG_FCGI_HUB_BATCH_PARTS_H

#include "fcgi/hub_batch.h"

/* What the checks of one body need. */
struct batch_reader {
	struct hub *hub;
	struct req *req;
	struct hub_node *node;
	struct hub_batch *batch;
	struct arena *scratch; /* reset after every frame */
	struct buf *encoded;   /* frames made from JSON */
	int64_t latest_us;     /* a sample may be as late as this */
	int32_t datasource_id; /* of the frame at hand */
	struct alarm_change *alarms;
	size_t alarm_count;
	struct frame_event *events;
	size_t event_count;
	bool catalog_read; /* anew, because of an unknown variable */
};

/* --- the forms of a body ---------------------------------------------------
 */

/* Both fail as hub_batch_read. */
MUST_CHECK enum rc hub_batch_read_binary(
	struct batch_reader *reader, struct bytes body);
MUST_CHECK enum rc hub_batch_read_json(
	struct batch_reader *reader, struct bytes body);

/* --- a frame of either form ------------------------------------------------
 */

/* The frame follows the last one, and is of a datasource that the node may
 * publish. Fails: as hub_batch_read. */
MUST_CHECK enum rc hub_batch_begin(
	struct batch_reader *reader, const struct frame_head *head);

/* Room for the alarm changes and events of the frame at hand. */
void hub_batch_make_lists(
	struct batch_reader *reader, size_t alarms, size_t events);

/* Once for a body: was a variable unknown, and is the catalog read anew, so
 * that the frame is to be checked again? *rc becomes what that came to. */
MUST_CHECK bool hub_batch_look_again(struct batch_reader *reader, enum rc *rc);

/* It is good. "frame" may be NULL as long as nobody needs it. */
void hub_batch_add(struct batch_reader *reader, const struct frame_head *head,
	const char *frame);

/* --- checks ----------------------------------------------------------------
 */

/* Fails: RC_UNPROCESSABLE TimeOutOfRange. */
MUST_CHECK enum rc hub_batch_check_time(const struct batch_reader *reader,
	int64_t time_us, struct fault *fault);

/* Fails: RC_UNPROCESSABLE WrongType, TimeOutOfRange. */
MUST_CHECK enum rc hub_batch_check_alarm(const struct batch_reader *reader,
	const struct alarm_change *change,
	const struct image_variable *variable, struct fault *fault);

/* Fails: RC_UNPROCESSABLE KindReserved, TimeOutOfRange. */
MUST_CHECK enum rc hub_batch_check_event(const struct batch_reader *reader,
	const struct frame_event *event, struct fault *fault);

/* RC_UNPROCESSABLE UnknownVariable: by its name, else by its id. */
MUST_CHECK enum rc hub_batch_tell_unknown(
	struct fault *fault, const char *name, int32_t id);

/* RC_UNPROCESSABLE WrongType. */
MUST_CHECK enum rc hub_batch_tell_type(
	struct fault *fault, const struct variable *variable);

#endif
