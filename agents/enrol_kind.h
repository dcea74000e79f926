/*
 * enrol_kind: what differs between the agents that become nodes.
 *
 * The program is fieldgrid-KIND, its configuration KIND.conf in a folder of
 * /etc/fieldgrid/KIND.
 */
#ifndef FG_AGENTS_ENROL_KIND_H
#define FG_AGENTS_ENROL_KIND_H

#include "lib/arena.h"

/* What goes into the configuration; texts. */
struct enrol_node {
	const char *name;
	const char *node_url;
	const char *trust; /* who may sign the hub's certificate: a path */
	const char *client_id;
	const char *client_secret;
	/* Of the datasources that it may send or receive: the first one, "" =
	 * there is none yet; and a line "UUID\n" for each. */
	const char *datasource;
	const char *datasource_name;
	const char *datasources;
	const char *state; /* folder of what it keeps */
};

struct enrol_kind {
	const char *kind;  /* as the grid calls it */
	const char *right; /* which datasources are its own */
	const char *folder;
	const char *state; /* above the state of each node */
	const char *list;  /* the CSV file beside the configuration */
	const char *sends; /* "It sends to" */
	const char *next;  /* what a person does with the list */
	const char *(*write_conf)(
		struct arena *arena, const struct enrol_node *node);
	const char *(*write_list)(
		struct arena *arena, const struct enrol_node *node);
};

extern const struct enrol_kind enrol_ingress;
extern const struct enrol_kind enrol_egress;

#endif
