/* controller_alarm_category: names of classes, groups and areas, by REST. */

#include "fcgi/controller_alarm.h"

#include <stdlib.h>
#include <string.h>

#include "fcgi/listing.h"
#include "lib/field.h"
#include "model/alarm_category.h"

enum rc
controller_alarm_plant(struct req *req, struct plant *plant)
{
	enum rc rc = plant_find(req, plant);

	if (rc != RC_OK || policy_covers(plant->policy, plant->datasource.id,
				   POLICY_CONFIGURE))
		return rc;
	rc = policy_check_list(plant->policy, plant->datasource.id,
		POLICY_CONFIGURE, &req->fault);
	return rc != RC_OK ? rc
			   : fault_tell(&req->fault, RC_DENIED, "RightMissing",
				     NULL,
				     "You lack the right Configure of the "
				     "whole datasource.");
}

/* The {kind} of the path as it is stored. */
static enum rc
read_kind(struct req *req, const char **kind)
{
	const char *word = req_arg(req, "kind");

	for (size_t i = 0; i < ALARM_CATEGORY_KINDS; i++)
		if (strcmp(alarm_category_kinds[i].many, word) == 0) {
			*kind = alarm_category_kinds[i].one;
			return RC_OK;
		}
	return fault_set(&req->fault, RC_NOT_FOUND, "kind");
}

/* The {key} of the path: a number, of an area its name. */
static enum rc
read_key(struct req *req, struct alarm_category *category)
{
	const char *key = req_arg(req, "key");
	enum rc rc = read_kind(req, &category->kind);

	if (rc != RC_OK)
		return rc;
	if (alarm_category_is_area(category)) {
		category->name = key;
		return RC_OK;
	}
	category->number = strtol(key, NULL, 10);
	if (strspn(key, "0123456789") == strlen(key) && strlen(key) <= 5 &&
		category->number <= ALARM_CATEGORY_NUMBER_MAX)
		return RC_OK;
	return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", "number",
		"The number must be from 0 to %d.", ALARM_CATEGORY_NUMBER_MAX);
}

static const char *const sorts[] = {"number", "name", NULL};

struct filter {
	const char *search;
};

static const struct listing_filter filters[] = {
	{"search", offsetof(struct filter, search), LISTING_TEXT, NULL},
	LISTING_FILTERS_END,
};

static const struct listing categories = {.sorts = sorts, .filters = filters};

enum rc
controller_category_list(struct req *req, struct resp *resp)
{
	struct filter filter = {.search = NULL};
	struct alarm_category_list list = {0, NULL};
	const char *kind = NULL;
	struct slice slice;
	struct plant plant;
	struct jsonw *json;
	enum rc rc = controller_alarm_plant(req, &plant);

	if (rc == RC_OK)
		rc = read_kind(req, &kind);
	if (rc == RC_OK)
		rc = listing_read(req, &categories, &filter, &slice);
	if (rc == RC_OK)
		rc = alarm_category_slice(req->db, req->arena,
			plant.datasource.id, kind, filter.search, &slice, &list,
			&req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		alarm_category_write(json, &list.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

static const struct field put_fields[] = {
	{"name", FIELD_TEXT, offsetof(struct alarm_category, name),
		.maximum = NAMING_NAME_BYTES},
	{"colour", FIELD_TEXT, offsetof(struct alarm_category, colour),
		.maximum = 7},
	{"description", FIELD_TEXT,
		offsetof(struct alarm_category, description),
		.maximum = NAMING_DESCRIPTION_BYTES},
	FIELDS_END,
};

/* What is there already, and what the body makes of it. */
static enum rc
read_put(struct req *req, const struct plant *plant, struct audit *what,
	struct alarm_category *category)
{
	struct alarm_category key = {.colour = "", .description = ""};
	enum rc rc = read_key(req, &key);

	if (rc == RC_OK)
		rc = alarm_category_find(req->db, req->arena,
			plant->datasource.id, &key, category, &req->fault);
	if (rc == RC_OK)
		what->before = alarm_category_text(req->arena, category);
	else if (rc == RC_NOT_FOUND && key.kind != NULL)
		*category = key;
	else
		return rc;
	if (category->name == NULL)
		category->name = "";
	rc = req_json(req, put_fields, category);
	if (rc == RC_OK && key.name != NULL &&
		strcmp(key.name, category->name) != 0)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"name", "An area is known by its name: it stays.");
	return rc;
}

static const char *
object_of(struct req *req, const struct plant *plant,
	const struct alarm_category *category)
{
	return arena_printf(req->arena, "%s/%s", plant->datasource.name,
		category->name != NULL ? category->name : "");
}

enum rc
controller_category_put(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "alarm_category.put"};
	struct alarm_category category = {.kind = NULL};
	struct plant plant;
	enum rc rc = controller_alarm_plant(req, &plant);

	if (rc == RC_OK)
		rc = read_put(req, &plant, &what, &category);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = alarm_category_put(
			req->db, plant.datasource.id, &category, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.after = alarm_category_text(req->arena, &category);
	rc = controller_finish(req, rc, &what,
		arena_printf(req->arena, "alarm_%s", category.kind),
		object_of(req, &plant, &category));
	if (rc == RC_OK)
		alarm_category_write(resp_json(resp, 200), &category);
	return rc;
}

enum rc
controller_category_remove(struct req *req, struct resp *resp)
{
	struct audit what = {.action = "alarm_category.delete"};
	struct alarm_category category = {.kind = NULL};
	struct plant plant;
	enum rc rc = controller_alarm_plant(req, &plant);

	if (rc == RC_OK)
		rc = read_key(req, &category);
	if (rc == RC_OK)
		rc = db_begin(req->db, DB_READ_COMMITTED, &req->fault);
	if (rc == RC_OK)
		rc = alarm_category_find(req->db, req->arena,
			plant.datasource.id, &category, &category, &req->fault);
	if (rc == RC_OK)
		rc = alarm_category_delete(
			req->db, plant.datasource.id, &category, &req->fault);
	if (rc != RC_OK)
		return rc;
	what.before = alarm_category_text(req->arena, &category);
	rc = controller_finish(req, rc, &what,
		arena_printf(req->arena, "alarm_%s", category.kind),
		object_of(req, &plant, &category));
	if (rc == RC_OK)
		resp_empty(resp, 204);
	return rc;
}
