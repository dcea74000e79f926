/* hub_catalog: which datasources and variables there are, in the image. */

#include "fcgi/hub_catalog.h"

#include "lib/encode.h"
#include "model/datasource.h"

enum rc
hub_catalog_read_datasources(struct hub *hub, struct db *db,
	struct arena *arena, struct fault *fault)
{
	struct datasource_list list;
	enum rc rc = datasource_query(db, arena, &list, fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++) {
		const struct datasource *item = &list.items[i];

		image_define_datasource(
			hub->image, (int32_t)item->id, item->uuid, item->name);
		image_set_online(hub->image, (int32_t)item->id, item->seen_us,
			item->online);
	}
	return rc;
}

enum rc
hub_catalog_read(struct hub *hub, struct db *db, struct arena *arena,
	struct fault *fault)
{
	struct variable_list list;
	enum rc rc = hub_catalog_read_datasources(hub, db, arena, fault);

	if (rc == RC_OK)
		rc = variable_query_all(db, arena, &list, fault);
	if (rc == RC_OK)
		image_define(hub->image, list.items, list.count);
	return rc;
}

static int32_t
find_datasource(struct image *image, const uint8_t uuid[16])
{
	struct image_datasource *datasource;
	int32_t id;

	image_read_lock(image);
	datasource = image_datasource_by_uuid(image, uuid);
	id = datasource != NULL ? datasource->id : 0;
	image_unlock(image);
	return id;
}

enum rc
hub_catalog_publish(struct hub *hub, struct req *req, struct hub_node *node,
	const uint8_t uuid[16], int32_t *id)
{
	*id = find_datasource(hub->image, uuid);
	if (*id == 0) {
		enum rc rc = hub_catalog_read_datasources(
			hub, req->db, req->arena, &req->fault);

		if (rc != RC_OK)
			return rc;
		*id = find_datasource(hub->image, uuid);
	}
	if (*id == 0)
		return fault_tell(&req->fault, RC_DENIED,
			"DatasourceNotAllowed", "datasource",
			"This node may not publish that datasource.");
	return hub_node_may_publish(
		node, req->db, req->arena, *id, &req->fault);
}

enum rc
hub_catalog_publish_text(
	struct hub *hub, struct req *req, const char *text, int32_t *id)
{
	uint8_t uuid[UUID_BYTES];

	if (!uuid_parse(text, uuid))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"datasource", "datasource is a UUID.");
	return hub_catalog_publish(
		hub, req, hub_nodes_get(hub->nodes, req->caller->id), uuid, id);
}
