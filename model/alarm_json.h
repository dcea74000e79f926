/*
 * alarm_json: an alarm as the API, the live streams and the feeds tell it.
 */
#ifndef FG_MODEL_ALARM_JSON_H
#define FG_MODEL_ALARM_JSON_H

#include "lib/jsonw.h"
#include "model/alarm.h"

/* One object with every column of the Alarm Message List, into an array.
 * "now_us" decides what is shelved, and how long it has been active. */
void alarm_write(struct jsonw *json, const struct alarm *alarm, int64_t now_us);

#endif
