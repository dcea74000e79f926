/* hub_command_send: commands to plants, and clients to where they wait. */

#include "fcgi/hub_command_parts.h"

#include <string.h>
#include <strings.h>

#include "fcgi/command_json.h"
#include "fcgi/hub_clock.h"
#include "fcgi/hub_held.h"
#include "fcgi/hub_node_stream.h"
#include "fcgi/hub_order.h"
#include "fcgi/hub_relay.h"
#include "lib/clock.h"

/* One line for the node's stream; doc/AGENT.md describes it. */
static const char *
compose(struct arena *arena, const struct command *command,
	const uint8_t *datasource, int64_t expires_us)
{
	struct jsonw *json = jsonw_in(arena);
	char id[UUID_TEXT_BYTES];
	char plant[UUID_TEXT_BYTES];
	char boot[UUID_TEXT_BYTES];

	uuid_format(id, command->id);
	uuid_format(plant, datasource);
	uuid_format(boot, hub_clock_boot());
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "id", id);
	jsonw_str(json, "datasource", plant);
	jsonw_str(json, "variable", command->variable);
	jsonw_raw(json, "value", command->value);
	if (command->expected != NULL)
		jsonw_raw(json, "expected", command->expected);
	jsonw_str(json, "boot", boot);
	jsonw_int(json, "sent", expires_us - command->expires_ms * 1000);
	jsonw_int(json, "expires", expires_us);
	jsonw_close_obj(json);
	return json->out->data;
}

bool
hub_command_pass(struct hub *hub, struct arena *arena,
	const struct command *command, int64_t expires_us)
{
	const struct image_datasource *found;
	uint8_t datasource[UUID_BYTES];

	image_read_lock(hub->image);
	found = image_datasource(hub->image, command->datasource_id);
	if (found != NULL)
		memcpy(datasource, found->uuid, UUID_BYTES);
	image_unlock(hub->image);
	return found != NULL &&
	       hub_node_stream_send(hub, command->node_id, "command",
		       compose(arena, command, datasource, expires_us));
}

/* To a node whose stream is here; it may have ended since we looked. */
static void
pass(struct drafts *drafts, const struct command *command, int64_t expires_us)
{
	struct req *req = drafts->req;

	if (!hub_command_pass(drafts->hub, req->arena, command, expires_us))
		hub_relay_take_back(drafts->hub, req->db, req->arena,
			command->id, command->node_id);
}

static void
send_all(struct drafts *drafts)
{
	struct req *req = drafts->req;
	int64_t expires_us = drafts->clock.now_us + drafts->expires_ms * 1000;
	const struct command **offered =
		arena_array(req->arena, drafts->count, sizeof(*offered));
	const char **via = arena_array(req->arena, drafts->count, sizeof(*via));
	size_t count = 0;

	for (size_t i = 0; i < drafts->count; i++) {
		const struct command *command = &drafts->commands[i];

		if (strcmp(command->state, COMMAND_SENT) != 0)
			continue;
		if (drafts->items[i].via == NULL) {
			pass(drafts, command, expires_us);
			continue;
		}
		via[count] = drafts->items[i].via;
		offered[count++] = command;
	}
	if (count > 0)
		hub_relay_offer(drafts->hub, req->db, req->arena, offered, via,
			count, expires_us);
}

/* Prefer: respond-async (RFC 7240), maybe among others. */
static bool
wants_async(const struct req *req)
{
	static const char word[] = "respond-async";
	const char *at = req_header(req, "Prefer");

	for (; at != NULL && *at != '\0'; at += *at == ',') {
		at += strspn(at, " \t,");
		if (strncasecmp(at, word, strlen(word)) == 0 &&
			strchr(" \t,;", at[strlen(word)]) != NULL)
			return true;
		at += strcspn(at, ",");
	}
	return false;
}

static void
answer_now(const struct drafts *drafts, struct resp *resp)
{
	if (drafts->bulk)
		command_answer_many(resp, drafts->commands, drafts->count);
	else
		command_answer(resp, &drafts->commands[0]);
}

static void
answer_async(const struct drafts *drafts, struct resp *resp)
{
	struct req *req = drafts->req;
	const char *datasource = drafts->items[0].variable.datasource;
	char id[UUID_TEXT_BYTES];

	uuid_format(id, drafts->commands[0].id);
	answer_now(drafts, resp);
	resp_header(resp, "Preference-Applied", "respond-async");
	if (!drafts->bulk)
		resp_header(resp, "Location",
			arena_printf(req->arena,
				"/api/v1/datasources/%s/commands/%s",
				datasource, id));
}

static size_t
count_sent(const struct drafts *drafts)
{
	size_t count = 0;

	for (size_t i = 0; i < drafts->count; i++)
		count += strcmp(drafts->commands[i].state, COMMAND_SENT) == 0;
	return count;
}

/* The order is kept before anything is sent: results may come at once. */
void
hub_command_send(struct drafts *drafts, struct resp *resp)
{
	struct req *req = drafts->req;
	char name[UUID_TEXT_BYTES];

	if (count_sent(drafts) == 0) {
		answer_now(drafts, resp);
		return;
	}
	hub_order_add(drafts->hub, drafts->commands, drafts->count,
		drafts->bulk,
		drafts->clock.now_us + drafts->expires_ms * 1000 +
			COMMAND_GRACE_US);
	send_all(drafts);
	if (wants_async(req)) {
		answer_async(drafts, resp);
		return;
	}
	uuid_format(name, drafts->commands[0].id);
	hub_held_redirect(req, resp, "order", name);
}
