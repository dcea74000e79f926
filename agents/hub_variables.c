/* hub_variables: the variables of a plant are declared. */

#include "agents/hub_parts.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>

#include "lib/jsonw.h"

static void
write_input(struct jsonw *json, const struct input *input)
{
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "name", input->name);
	jsonw_str(json, "type", input_type(input));
	jsonw_str(json, "unit", input->unit);
	jsonw_int(json, "decimals", input->decimals);
	if (!isnan(input->minimum))
		jsonw_num(json, "minimum", input->minimum);
	if (!isnan(input->maximum))
		jsonw_num(json, "maximum", input->maximum);
	jsonw_bool(json, "stepped", input->stepped);
	jsonw_str(json, "access", input->access);
	jsonw_str(json, "description", input->description);
	jsonw_close_obj(json);
}

static void
write_declaration(
	const struct hub *hub, const struct input_list *list, struct buf *body)
{
	struct jsonw json;
	char uuid[UUID_TEXT_BYTES];

	uuid_format(uuid, hub->options.datasource);
	buf_clear(body);
	jsonw_init(&json, body);
	jsonw_open_obj(&json, NULL);
	jsonw_str(&json, "datasource", uuid);
	jsonw_open_arr(&json, "variables");
	for (size_t i = 0; i < list->count; i++)
		write_input(&json, &list->items[i]);
	jsonw_close_arr(&json);
	jsonw_close_obj(&json);
}

/* The answer may list the variables in any order. */
static bool
take_id(struct json_object *item, struct input *const *sorted, size_t count)
{
	struct input *input;
	int64_t id;

	if (!json_object_is_type(item, json_type_object) ||
		!hub_number(item, "id", &id) || id <= 0 || id > INT32_MAX)
		return false;
	input = input_find(sorted, count, hub_text(item, "name"));
	if (input == NULL)
		return false;
	input->id = (int32_t)id;
	return true;
}

static bool
take_ids(struct json_object *object, struct input_list *list)
{
	struct json_object *variables;
	struct input **sorted;
	size_t taken = 0;

	if (object == NULL ||
		!json_object_object_get_ex(object, "variables", &variables) ||
		!json_object_is_type(variables, json_type_array) ||
		json_object_array_length(variables) != list->count)
		return false;
	sorted = input_list_sort(list);
	while (taken < list->count &&
		take_id(json_object_array_get_idx(variables, taken), sorted,
			list->count))
		taken++;
	free(sorted);
	return taken == list->count;
}

enum rc
hub_declare(struct hub *hub, struct input_list *list, struct fault *fault)
{
	struct json_object *object;
	enum rc rc;

	write_declaration(hub, list, &hub->body);
	rc = hub_call(hub, "PUT", "/hub/v1/variables", "application/json",
		&hub->body, fault);
	buf_free(&hub->body); /* large, and not needed again soon */
	if (rc != RC_OK)
		return rc;
	object = hub_reply(hub);
	buf_free(&hub->reply.body);
	if (!take_ids(object, list))
		rc = hub_not_understood(hub, "/hub/v1/variables", fault);
	json_object_put(object);
	return rc;
}
