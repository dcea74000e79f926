/*
 * api_alarm_act: what people do with alarms, one at a time or many.
 *
 * To acknowledge, comment, give a cause, shelve and unshelve takes the right
 * AcknowledgeAlarms of the variable; to suppress, to take out of service, and
 * back, the right Configure.
 */
#ifndef FG_FCGI_API_ALARM_ACT_H
#define FG_FCGI_API_ALARM_ACT_H

#include "lib/route.h"

/* PATCH /api/v1/datasources/{ds}/alarms/{id}: the alarm as it is then */
handler_fn api_alarm_change;
/* PATCH /api/v1/datasources/{ds}/alarms: {"ids": […], …}: a result for each */
handler_fn api_alarm_change_many;
/* GET /api/v1/datasources/{ds}/alarms/{id} */
handler_fn api_alarm_get;

#endif
