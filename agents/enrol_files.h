/*
 * enrol_files: the folder of a node, made beside its place and moved there
 * when it is whole.
 */
#ifndef FG_AGENTS_ENROL_FILES_H
#define FG_AGENTS_ENROL_FILES_H

#include <stdbool.h>
#include <sys/types.h>

#include "agents/enrol_kind.h"
#include "lib/arena.h"
#include "lib/fault.h"

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

/* The secret, the configuration, and a list to begin with. */
MUST_CHECK enum rc enrol_files_configure(struct arena *arena,
	const char *folder, const struct enrol_kind *kind,
	const struct enrol_node *node, struct fault *fault);

/*
 * Move the folder's files to "to". Files that are there are replaced, but for
 * the list; the configuration of before is kept as KIND.conf.before.
 * Run by root they belong to the agents' user. Fails: RC_IO.
 */
MUST_CHECK enum rc enrol_files_move(struct arena *arena,
	const struct enrol_kind *kind, const char *from, const char *to,
	struct fault *fault);

/* Is there a configured node in the folder? */
bool enrol_files_taken(
	struct arena *arena, const struct enrol_kind *kind, const char *folder);

#endif
