/*
 * hub_catalog: which datasources and variables there are, in the image.
 */
#ifndef FG_FCGI_HUB_CATALOG_H
#define FG_FCGI_HUB_CATALOG_H

#include "fcgi/hub.h"
#include "fcgi/hub_nodes.h"

/* Read what there is, and who is online, from the database into the image. */
MUST_CHECK enum rc hub_catalog_read(struct hub *hub, struct db *db,
	struct arena *arena, struct fault *fault);

/* The same for datasources and their state only. */
MUST_CHECK enum rc hub_catalog_read_datasources(struct hub *hub, struct db *db,
	struct arena *arena, struct fault *fault);

/*
 * The id of a datasource that the node may publish. One that is not there is
 * one that it may not. Fails: RC_DENIED DatasourceNotAllowed.
 */
MUST_CHECK enum rc hub_catalog_publish(struct hub *hub, struct req *req,
	struct hub_node *node, const uint8_t uuid[16], int32_t *id);

/* The same for the caller, which names it in words.
 * Fails also: RC_BAD_INPUT it is no UUID. */
MUST_CHECK enum rc hub_catalog_publish_text(
	struct hub *hub, struct req *req, const char *uuid, int32_t *id);

#endif
