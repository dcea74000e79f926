/*
 * api_alarm: the Alarm Message List.
 */
#ifndef FG_FCGI_API_ALARM_H
#define FG_FCGI_API_ALARM_H

#include "lib/route.h"

/* POST /api/v1/datasources/{ds}/alarms/query */
handler_fn api_alarm_query;

#endif
