/*
 * enrol_files: the folder of a node, made beside its place and moved there
 * when it is whole.
 */
#ifndef FG_AGENTS_ENROL_FILES_H
#define FG_AGENTS_ENROL_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/arena.h"
#include "lib/fault.h"

/* What goes into the configuration; texts. */
struct enrol_node {
	const char *name;
	const char *node_url;
	const char *trust; /* who may sign the hub's certificate: a path */
	const char *client_id;
	const char *client_secret;
	const char *datasource; /* UUID; "" = it may send none yet */
	const char *datasource_name;
	const char *spool;
};

/* Make a folder, and those above it, for its owner and group.
 * Fails: RC_IO. */
MUST_CHECK enum rc enrol_files_folder(
	struct arena *arena, const char *path, struct fault *fault);

/* A file of the folder; NULL when it is not there.
 * Fails: RC_IO it cannot be read. */
MUST_CHECK enum rc enrol_files_read(struct arena *arena, const char *folder,
	const char *name, const char **text, struct fault *fault);
MUST_CHECK enum rc enrol_files_write(struct arena *arena, const char *folder,
	const char *name, const char *text, mode_t mode, struct fault *fault);

/* The secret, ingress.conf, and a variables.csv to begin with. */
MUST_CHECK enum rc enrol_files_configure(struct arena *arena,
	const char *folder, const struct enrol_node *node, struct fault *fault);

/*
 * Move the folder's files to "to". Files that are there are replaced, but for
 * variables.csv; the configuration of before is kept as ingress.conf.before.
 * Run by root they belong to the agents' user. Fails: RC_IO.
 */
MUST_CHECK enum rc enrol_files_move(struct arena *arena, const char *from,
	const char *to, struct fault *fault);

/* Is there a configured node in the folder? */
bool enrol_files_taken(struct arena *arena, const char *folder);

#endif
