/*
 * node_link: which datasources nodes publish and subscribe to.
 */
#ifndef FG_MODEL_NODE_LINK_H
#define FG_MODEL_NODE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/db.h"

extern const struct stmt node_link_stmts[];

struct node_link {
	int32_t node_id;
	int32_t datasource_id;
	bool publishes;
	bool subscribes;
};

/* Of all these nodes, by node and datasource, rising. Lives in "arena". */
MUST_CHECK enum rc node_links(struct db *db, struct arena *arena,
	const int32_t *node_ids, size_t node_count, struct node_link **links,
	size_t *count, struct fault *fault);

#endif
