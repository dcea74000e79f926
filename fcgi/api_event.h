/*
 * api_event: the Chronological Event List, and the Alarm Message List.
 */
#ifndef FG_FCGI_API_EVENT_H
#define FG_FCGI_API_EVENT_H

#include "lib/route.h"

/* POST /api/v1/datasources/{ds}/events/query */
handler_fn api_event_query;
/* POST /api/v1/datasources/{ds}/alarms/query. Nothing raises alarms yet, so
 * the list is empty, but the question is checked as it always will be. */
handler_fn api_alarm_query;

#endif
