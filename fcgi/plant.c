/* plant: a datasource as the caller of one request sees it. */

#include "fcgi/plant.h"

#include <string.h>

enum rc
plant_find(struct req *req, struct plant *plant)
{
	uint8_t uuid[UUID_BYTES];
	enum rc rc = req_arg_uuid(req, "ds", uuid);

	if (rc == RC_OK)
		rc = datasource_find(req->db, req->arena, uuid,
			&plant->datasource, &req->fault);
	if (rc == RC_OK)
		rc = policy_of(req, &plant->policy);
	if (rc == RC_OK && !policy_sees(plant->policy, plant->datasource.id))
		rc = fault_set(&req->fault, RC_NOT_FOUND, "not visible");
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_NOT_FOUND, "NotFound", NULL,
			"There is no such datasource.");
	return rc;
}

bool
plant_shows(const struct plant *plant, const struct variable *variable,
	enum policy_action action)
{
	return policy_may(plant->policy, variable, action);
}

bool
plant_takes_all(const struct texts *patterns)
{
	if (patterns->items == NULL)
		return true;
	for (size_t i = 0; i < patterns->count; i++)
		if (strcmp(patterns->items[i], "*") == 0)
			return true;
	return false;
}

enum rc
plant_choose(struct req *req, const struct plant *plant,
	const struct texts *names, enum policy_action action, struct ints *ids)
{
	static const char *const all[] = {"*"};
	bool every = names->items == NULL;
	struct variable_list found;
	int32_t *items;
	enum rc rc = policy_check_list(
		plant->policy, plant->datasource.id, action, &req->fault);

	*ids = (struct ints){0, NULL};
	if (rc != RC_OK || (plant_takes_all(names) &&
				   policy_covers(plant->policy,
					   plant->datasource.id, action)))
		return rc;
	rc = variable_query(req->db, req->arena, plant->datasource.id,
		every ? all : names->items, every ? 1 : names->count, &found,
		&req->fault);
	if (rc != RC_OK)
		return rc;
	items = arena_array(req->arena, found.count + 1, sizeof(*items));
	for (size_t i = 0; i < found.count; i++)
		if (plant_shows(plant, &found.items[i], action))
			items[ids->count++] = found.items[i].id;
	ids->items = items;
	return RC_OK;
}
