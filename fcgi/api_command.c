/* api_command: commands on record. They are given at the hub. */

#include "fcgi/api_command.h"

#include <string.h>

#include "fcgi/api.h"
#include "fcgi/command_json.h"
#include "fcgi/listing.h"
#include "lib/clock.h"
#include "model/command_read.h"

struct wanted {
	const char *variable; /* pattern */
	struct command_filter filter;
};

#define WANTED(member) offsetof(struct wanted, member)

static const char *const sorts[] = {"created", NULL};

static const struct listing_filter filters[] = {
	{"variable", WANTED(variable), LISTING_TEXT, NULL},
	{"state", WANTED(filter.state), LISTING_TEXT, command_states},
	{"username", WANTED(filter.username), LISTING_TEXT, NULL},
	{"from", WANTED(filter.from_us), LISTING_TIME, NULL},
	{"to", WANTED(filter.to_us), LISTING_TIME, NULL},
	LISTING_FILTERS_END,
};

static const struct listing listing = {sorts, filters, "-created"};

/* Whose events may be read, and everybody their own commands. */
static enum rc
choose(struct req *req, const struct plant *plant, struct wanted *wanted)
{
	struct command_filter *filter = &wanted->filter;
	struct variable_list found;
	int32_t *readable;
	int32_t *matching;
	enum rc rc = variable_query(req->db, req->arena, plant->datasource.id,
		&wanted->variable, 1, &found, &req->fault);

	if (rc != RC_OK)
		return rc;
	readable = arena_array(req->arena, found.count, sizeof(*readable));
	matching = arena_array(req->arena, found.count, sizeof(*matching));
	for (size_t i = 0; i < found.count; i++) {
		if (!policy_knows(plant->policy, &found.items[i]))
			continue;
		matching[filter->matching_count++] = found.items[i].id;
		if (plant_shows(plant, &found.items[i], POLICY_READ_EVENTS))
			readable[filter->readable_count++] = found.items[i].id;
	}
	filter->readable = readable;
	filter->matching = matching;
	filter->subject = req->caller->subject;
	filter->datasource_id = plant->datasource.id;
	return RC_OK;
}

enum rc
api_command_list(struct req *req, struct resp *resp)
{
	struct wanted wanted = {.variable = "*",
		.filter = {.from_us = CLOCK_NEVER, .to_us = CLOCK_NEVER}};
	struct command_list list;
	struct slice slice;
	struct plant plant;
	struct jsonw *json;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = listing_read(req, &listing, &wanted, &slice);
	if (rc == RC_OK)
		rc = choose(req, &plant, &wanted);
	if (rc == RC_OK)
		rc = command_slice(req->db, req->arena, &wanted.filter, &slice,
			&list, &req->fault);
	if (rc != RC_OK)
		return rc;
	json = listing_open(resp);
	for (size_t i = 0; i < list.count; i++)
		command_write(json, NULL, &list.items[i]);
	listing_close(json, req, &slice);
	return RC_OK;
}

/* What may not be read is not there. */
static enum rc
check_readable(struct req *req, const struct plant *plant,
	const struct command *command)
{
	struct variable variable;
	bool own = strcmp(command->subject, req->caller->subject) == 0;
	enum rc rc;

	if (command->datasource_id != plant->datasource.id)
		return fault_tell(&req->fault, RC_NOT_FOUND, "CommandNotFound",
			NULL, "There is no such command.");
	rc = variable_find(req->db, req->arena, plant->datasource.id,
		command->variable, &variable, &req->fault);
	if (rc != RC_OK)
		return rc;
	if ((own && policy_knows(plant->policy, &variable)) ||
		plant_shows(plant, &variable, POLICY_READ_EVENTS))
		return RC_OK;
	return fault_tell(&req->fault, RC_NOT_FOUND, "CommandNotFound", NULL,
		"There is no such command.");
}

enum rc
api_command_get(struct req *req, struct resp *resp)
{
	uint8_t id[UUID_BYTES];
	struct command command;
	struct plant plant;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = req_arg_uuid(req, "id", id);
	if (rc == RC_OK)
		rc = command_find(
			req->db, req->arena, id, &command, &req->fault);
	if (rc == RC_OK)
		rc = check_readable(req, &plant, &command);
	if (rc == RC_OK)
		command_write(resp_json(resp, 200), NULL, &command);
	return rc;
}
