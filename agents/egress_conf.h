/* egress_conf: the configuration of fieldgrid-egress. */
#ifndef FG_AGENTS_EGRESS_CONF_H
#define FG_AGENTS_EGRESS_CONF_H

#include "agents/node_conf.h"
#include "agents/outlet.h"
#include "agents/outlet_modbus.h"
#include "agents/outlet_mqtt.h"

struct outlet_file_conf {
	const char *folder;
	const char *format;
	int64_t rotate_mib;
	int64_t rotate_s;
};

struct egress_conf {
	struct node_conf node;

	const char *mirror;
	const char *outlet_name;
	const char *state_folder;
	const char *since_text;
	int64_t poll_ms;
	int64_t page_kib;
	bool writes;

	struct outlet_file_conf file;
	struct outlet_modbus_conf modbus;
	struct outlet_mqtt_conf mqtt;

	/* Made of the above. */
	const struct outlet *outlet;
	int64_t since_us; /* CLOCK_NEVER = from now on */
};

extern const struct conf_entry egress_conf_entries[];

/* Fails: RC_IO, RC_BAD_INPUT with "path:line: why" or what is wrong. */
MUST_CHECK enum rc egress_conf_load(struct arena *arena, const char *path,
	struct egress_conf **conf, struct fault *fault);

#endif
