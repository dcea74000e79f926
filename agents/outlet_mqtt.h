/* outlet_mqtt: the keys of the outlet to an MQTT broker. */
#ifndef FG_AGENTS_OUTLET_MQTT_H
#define FG_AGENTS_OUTLET_MQTT_H

#include "agents/broker.h"

struct outlet_mqtt_conf {
	struct broker_options broker;
	const char *topic;  /* of a value, with placeholders */
	const char *alarms; /* of alarms and events; "" = none */
	const char *events;
	const char *commands; /* where others ask for writes */
	const char *results;
	const char *payload; /* json or value */
	bool retain;
};

#define OUTLET_MQTT_CONF(section, base)                                         \
	BROKER_CONF(                                                            \
		section, (base) + offsetof(struct outlet_mqtt_conf, broker)),   \
		{section, "topic", CONF_TEXT,                                   \
			(base) + offsetof(struct outlet_mqtt_conf, topic),      \
			"fieldgrid/{variable}", 0, 0,                           \
			"topic of a value; {variable} and {datasource} are "    \
			"replaced"},                                            \
		{section, "alarms", CONF_TEXT,                                  \
			(base) + offsetof(struct outlet_mqtt_conf, alarms),     \
			"fieldgrid/alarms/{datasource}", 0, 0,                  \
			"topic of alarms; empty: they are left out"},           \
		{section, "events", CONF_TEXT,                                  \
			(base) + offsetof(struct outlet_mqtt_conf, events),     \
			"fieldgrid/events/{datasource}", 0, 0,                  \
			"topic of events; empty: they are left out"},           \
		{section, "commands", CONF_TEXT,                                \
			(base) + offsetof(struct outlet_mqtt_conf, commands),   \
			"fieldgrid/set/{variable}", 0, 0,                       \
			"topic of writes, with {variable} at its end; used "    \
			"with [egress] writes"},                                \
		{section, "results", CONF_TEXT,                                 \
			(base) + offsetof(struct outlet_mqtt_conf, results),    \
			"fieldgrid/result/{variable}", 0, 0,                    \
			"topic that tells how a write ended"},                  \
		{section, "payload", CONF_TEXT,                                 \
			(base) + offsetof(struct outlet_mqtt_conf, payload),    \
			"json", 0, 0,                                           \
			"of a value: json (time, value, status, …) or value " \
			"(the bare value)"},                                    \
	{                                                                       \
		section, "retain", CONF_BOOL,                                   \
			(base) + offsetof(struct outlet_mqtt_conf, retain),     \
			"yes", 0, 0,                                            \
			"the broker keeps the last value for who subscribes "   \
			"later"                                                 \
	}

#endif
