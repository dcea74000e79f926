/*
 * event_kind: the kinds of events that the server writes.
 *
 * Plants name theirs as they like, but not like these. doc/API.md lists these;
 * a test compares.
 */
#ifndef FG_MODEL_EVENT_KIND_H
#define FG_MODEL_EVENT_KIND_H

#include <stdbool.h>

/* In any case of letters: none shall look like one. */
bool event_kind_is_known(const char *kind);

#endif
