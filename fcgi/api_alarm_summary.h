/* api_alarm_summary: what wants attention in all plants of the caller. */
#ifndef FG_FCGI_API_ALARM_SUMMARY_H
#define FG_FCGI_API_ALARM_SUMMARY_H

#include "lib/route.h"

handler_fn api_alarm_summary;

#endif
