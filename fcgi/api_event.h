/*
 * api_event: the Chronological Event List.
 */
#ifndef FG_FCGI_API_EVENT_H
#define FG_FCGI_API_EVENT_H

#include "lib/route.h"

/* POST /api/v1/datasources/{ds}/events/query */
handler_fn api_event_query;

#endif
