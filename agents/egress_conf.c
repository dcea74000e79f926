/* egress_conf: the configuration of fieldgrid-egress. */

#include "agents/egress_conf.h"

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

#define KEY(field) offsetof(struct egress_conf, field)

const struct conf_entry egress_conf_entries[] = {
	NODE_CONF_ENTRIES(KEY(node)),
	{"egress", "mirror", CONF_PATH, KEY(mirror), NULL, 0, 0,
		"CSV file of what is mirrored, see doc/EGRESS.md"},
	{"egress", "outlet", CONF_TEXT, KEY(outlet_name), NULL, 0, 0,
		"where to: file, modbus, mqtt or stdout"},
	{"egress", "state", CONF_PATH, KEY(state_folder), NULL, 0, 0,
		"folder of the position up to which everything was mirrored"},
	{"egress", "since", CONF_TEXT, KEY(since_text), "", 0, 0,
		"a new mirror begins with the history since this time "
		"(ISO 8601); empty: from now on"},
	{"egress", "poll_ms", CONF_INT, KEY(poll_ms), "2000", 10, 60000,
		"ask for what is new also when the hub did not tell of it, "
		"every ms"},
	{"egress", "page_kib", CONF_INT, KEY(page_kib), "1024", 1, 8192,
		"frames fetched by one request, KiB"},
	{"egress", "writes", CONF_BOOL, KEY(writes), "no", 0, 0,
		"send what the other side writes to the plants, as commands "
		"under the rights of this node"},
	{"file", "folder", CONF_PATH, KEY(file.folder), "", 0, 0,
		"folder of the files"},
	{"file", "format", CONF_TEXT, KEY(file.format), "jsonl", 0, 0,
		"jsonl (a line of JSON each) or csv"},
	{"file", "rotate_mib", CONF_INT, KEY(file.rotate_mib), "64", 1, 65536,
		"begin a new file at this size, MiB"},
	{"file", "rotate_s", CONF_INT, KEY(file.rotate_s), "86400", 1, 31536000,
		"begin a new file after this time, s"},
	OUTLET_MODBUS_CONF("modbus", KEY(modbus)),
	OUTLET_MQTT_CONF("mqtt", KEY(mqtt)),
	CONF_END,
};

static enum rc
refuse_outlet(
	const struct egress_conf *conf, const char *path, struct fault *fault)
{
	char names[80] = "";

	for (size_t i = 0; outlets[i] != NULL; i++) {
		size_t length = strlen(names);

		snprintf(names + length, sizeof(names) - length, "%s%s",
			i == 0 ? "" : ", ", outlets[i]->name);
	}
	return fault_set(fault, RC_BAD_INPUT,
		"%s: [egress] outlet = %.60s: there are %s", path,
		conf->outlet_name, names);
}

static enum rc
take_words(struct egress_conf *conf, const char *path, struct fault *fault)
{
	conf->outlet = outlet_find(conf->outlet_name);
	if (conf->outlet == NULL)
		return refuse_outlet(conf, path, fault);
	conf->since_us = CLOCK_NEVER;
	if (conf->since_text[0] != '\0' &&
		!clock_parse(conf->since_text, &conf->since_us))
		return fault_set(fault, RC_BAD_INPUT,
			"%s: [egress] since = %.60s: must be a time such as "
			"2026-01-31T00:00:00Z",
			path, conf->since_text);
	return RC_OK;
}

enum rc
egress_conf_load(struct arena *arena, const char *path,
	struct egress_conf **result, struct fault *fault)
{
	struct egress_conf *conf = arena_alloc(arena, sizeof(*conf));
	enum rc rc = conf_load(arena, path, egress_conf_entries, conf, fault);

	if (rc == RC_OK)
		rc = node_conf_check(&conf->node, path, fault);
	if (rc == RC_OK)
		rc = take_words(conf, path, fault);
	*result = conf;
	return rc;
}
