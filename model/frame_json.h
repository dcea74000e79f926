/*
 * frame_json: frames as JSON, columnar; see doc/FRAME.md.
 *
 * The body is read once, as a stream. One frame at a time is in memory; the
 * columns are kept from frame to frame.
 */
#ifndef FG_MODEL_FRAME_JSON_H
#define FG_MODEL_FRAME_JSON_H

#include <stdbool.h>

#include "lib/arena.h"
#include "model/frame.h"

#define FRAME_JSON_SERIES_MAX 10000

/* Samples of one variable; their kind is the one that JSON shows: bool, int,
 * float, string, or none for null. */
struct frame_json_series {
	const char *name;
	size_t first; /* its samples begin here */
	size_t count;
	bool shared; /* it has no times of its own */
};

/* An event; "variable" is a name or NULL. */
struct frame_json_event {
	struct frame_event event;
	const char *variable;
};

/* An alarm change; "variable" is a name, and its value as in a series. */
struct frame_json_alarm {
	struct alarm_change change;
	const char *variable;
};

/* One frame as it was written; nothing is checked but its form. */
struct frame_json {
	struct frame_head head; /* datasource, spool_id, sequence */
	struct frame_json_series *series;
	size_t series_count;
	struct sample *samples; /* variable_id is 0 */
	size_t samples_count;
	struct frame_json_alarm *alarms;
	size_t alarms_count;
	struct frame_json_event *events;
	size_t events_count;
};

typedef enum rc frame_json_fn(
	void *context, struct frame_json *frame, struct fault *fault);

/*
 * Call "visit" for every frame of the body, in order. What it sees is its to
 * change and valid during the call; names and texts live in "arena".
 * Fails: RC_BAD_INPUT FrameMalformed, with the place; RC_TOO_LARGE more
 *        samples, series, alarm changes or
 *        events than a frame holds; what "visit" returns.
 */
MUST_CHECK enum rc frame_json_each(const char *text, size_t length,
	struct arena *arena, frame_json_fn *visit, void *context,
	struct fault *fault);

/* Make the value the kind of its variable, if that loses nothing: an int for
 * a float, digits in a string for an int, null for a float that is NaN. */
MUST_CHECK bool frame_json_convert(struct value *value, enum value_kind kind);

#endif
