/* ingress_conf: the configuration of fieldgrid-ingress. */

#include "agents/ingress_conf.h"

#include <stdalign.h>
#include <string.h>

#define HOUR_S     3600
#define MINUTE_MS  60000
#define ENTRY_ROOM 128

#define KEY(field) offsetof(struct ingress_conf, field)

static const struct conf_entry ingress_conf_entries[] = {
	NODE_CONF_ENTRIES(KEY(node)),
	{"agent", "datasource", CONF_TEXT, KEY(datasource_text), NULL, 0, 0,
		"UUID of the datasource that the samples belong to"},
	{"agent", "variables", CONF_PATH, KEY(variables), NULL, 0, 0,
		"CSV file of the variables, see doc/AGENT.md"},
	{"agent", "driver", CONF_TEXT, KEY(driver_name), NULL, 0, 0,
		"where values come from, see doc/AGENT.md"},
	{"agent", "period_ms", CONF_INT, KEY(period_ms), "1000", 10,
		24 * HOUR_S * 1000, "time from one reading to the next, ms"},
	{"agent", "flush_ms", CONF_INT, KEY(flush_ms), "0", 0, MINUTE_MS,
		"collect samples so long into one frame, ms; 0 = one reading"},
	{"agent", "refresh_s", CONF_INT, KEY(refresh_s), "60", 1, 24 * HOUR_S,
		"send a value that stays within its dead band again, s"},
	{"agent", "frame_samples", CONF_INT, KEY(frame_samples), "5000", 1,
		20000, "close a frame that has so many samples"},
	{"agent", "compress", CONF_BOOL, KEY(compress), "yes", 0, 0,
		"compress frames with zstd"},
	{"alarms", "limits", CONF_PATH, KEY(limits), "", 0, 0,
		"CSV file of the limits, see doc/AGENT.md; empty = none"},
	{"spool", "folder", CONF_PATH, KEY(spool_folder), NULL, 0, 0,
		"folder of the frames that wait for the hub"},
	{"spool", "limit_mib", CONF_INT, KEY(spool_limit_mib), "1024", 1,
		1048576, "size the spool may reach, MiB"},
	{"spool", "when_full", CONF_TEXT, KEY(spool_when_full), "drop_oldest",
		0, 0, "drop_oldest or stop, see doc/AGENT.md"},
	CONF_END,
};

/* Options of each driver lie one behind the other, aligned. */
static size_t
round_up(size_t bytes)
{
	size_t step = alignof(max_align_t);

	return (bytes + step - 1) / step * step;
}

const struct conf_entry *
ingress_conf_table(struct arena *arena)
{
	struct conf_entry *table =
		arena_array(arena, ENTRY_ROOM, sizeof(*table));
	size_t base = round_up(sizeof(struct ingress_conf));
	size_t count = ARRAY_LENGTH(ingress_conf_entries) - 1;

	memcpy(table, ingress_conf_entries, count * sizeof(*table));
	for (size_t i = 0; drivers[i] != NULL; i++) {
		const struct conf_entry *entry = drivers[i]->conf;

		for (; entry != NULL && entry->section != NULL; entry++) {
			table[count] = *entry;
			table[count++].offset += base;
		}
		base += round_up(drivers[i]->conf_bytes);
	}
	return table; /* ends with an entry of zeros */
}

static size_t
all_bytes(void)
{
	size_t bytes = round_up(sizeof(struct ingress_conf));

	for (size_t i = 0; drivers[i] != NULL; i++)
		bytes += round_up(drivers[i]->conf_bytes);
	return bytes;
}

static const void *
find_options(const struct ingress_conf *conf)
{
	size_t offset = round_up(sizeof(struct ingress_conf));

	for (size_t i = 0; drivers[i] != conf->driver; i++)
		offset += round_up(drivers[i]->conf_bytes);
	return (const char *)conf + offset;
}

static enum rc
refuse_driver(
	const struct ingress_conf *conf, const char *path, struct fault *fault)
{
	char names[160] = "";

	for (size_t i = 0; drivers[i] != NULL; i++) {
		size_t length = strlen(names);

		snprintf(names + length, sizeof(names) - length, "%s%s",
			i == 0 ? "" : ", ", drivers[i]->name);
	}
	return fault_set(fault, RC_BAD_INPUT,
		"%s: [agent] driver = %.60s: there are %s", path,
		conf->driver_name, names);
}

static enum rc
take_words(struct ingress_conf *conf, const char *path, struct fault *fault)
{
	if (!uuid_parse(conf->datasource_text, conf->datasource))
		return fault_set(fault, RC_BAD_INPUT,
			"%s: [agent] datasource = %.60s: must be a UUID", path,
			conf->datasource_text);
	conf->driver = driver_find(conf->driver_name);
	if (conf->driver == NULL)
		return refuse_driver(conf, path, fault);
	conf->driver_options = find_options(conf);
	conf->when_full = strcmp(conf->spool_when_full, "stop") == 0
				  ? SAMPLER_STOP
				  : SAMPLER_DROP_OLDEST;
	if (conf->when_full == SAMPLER_DROP_OLDEST &&
		strcmp(conf->spool_when_full, "drop_oldest") != 0)
		return fault_set(fault, RC_BAD_INPUT,
			"%s: [spool] when_full = %.60s: must be drop_oldest or "
			"stop",
			path, conf->spool_when_full);
	return RC_OK;
}

enum rc
ingress_conf_load(struct arena *arena, const char *path,
	struct ingress_conf **result, struct fault *fault)
{
	struct ingress_conf *conf = arena_alloc(arena, all_bytes());
	enum rc rc =
		conf_load(arena, path, ingress_conf_table(arena), conf, fault);

	if (rc == RC_OK)
		rc = node_conf_check(&conf->node, path, fault);
	if (rc == RC_OK)
		rc = take_words(conf, path, fault);
	*result = conf;
	return rc;
}
