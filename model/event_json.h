/*
 * event_json: an event as the API, the live streams and the feeds tell it.
 */
#ifndef FG_MODEL_EVENT_JSON_H
#define FG_MODEL_EVENT_JSON_H

#include "lib/jsonw.h"
#include "model/event.h"

/* One object with every column of the Chronological Event List, into an
 * array. */
void event_tell(struct jsonw *json, const struct event *event);

#endif
