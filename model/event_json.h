/* event_json: an event as the API and the feeds tell it. */
#ifndef FG_MODEL_EVENT_JSON_H
#define FG_MODEL_EVENT_JSON_H

#include "lib/jsonw.h"
#include "model/event.h"

/* One object, into an array. */
void event_tell(struct jsonw *json, const struct event *event);

#endif
