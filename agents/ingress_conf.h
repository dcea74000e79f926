/* ingress_conf: the configuration of fieldgrid-ingress. */
#ifndef FG_AGENTS_INGRESS_CONF_H
#define FG_AGENTS_INGRESS_CONF_H

#include "agents/driver.h"
#include "agents/node_conf.h"
#include "agents/sampler.h"
#include "lib/conf.h"
#include "lib/encode.h"

struct ingress_conf {
	struct node_conf node;

	const char *datasource_text;
	const char *variables;
	const char *limits;
	const char *driver_name;
	int64_t period_ms;
	int64_t flush_ms;
	int64_t refresh_s;
	int64_t frame_samples;
	bool compress;

	const char *spool_folder;
	int64_t spool_limit_mib;
	const char *spool_when_full;

	/* Made of the above. */
	uint8_t datasource[UUID_BYTES];
	const struct driver *driver;
	const void *driver_options;
	enum sampler_full when_full;
};

/*
 * The keys of the agent followed by those of every driver. Offsets of a
 * driver's keys count behind struct ingress_conf, in the order of drivers[].
 */
const struct conf_entry *ingress_conf_table(struct arena *arena);

/* Fails: RC_IO, RC_BAD_INPUT with "path:line: why" or what is wrong. */
MUST_CHECK enum rc ingress_conf_load(struct arena *arena, const char *path,
	struct ingress_conf **conf, struct fault *fault);

#endif
