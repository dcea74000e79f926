/* api_alarm_figures: alarm key figures. */
#ifndef FG_FCGI_API_ALARM_FIGURES_H
#define FG_FCGI_API_ALARM_FIGURES_H

#include "lib/route.h"

/* POST /api/v1/datasources/{ds}/alarms/figures */
handler_fn api_alarm_figures;

#endif
