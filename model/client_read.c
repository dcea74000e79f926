/* client_read: a client from its row, and as JSON. */

#include <string.h>

#include "model/client_row.h"

static void
read_settings(const struct rows *rows, size_t row, struct client *client)
{
	client->trusted = rows_bool(rows, row, 15);
	client->introspects = rows_bool(rows, row, 16);
	client->algorithm = rows_text(rows, row, 17);
	client->authentication = rows_text(rows, row, 18);
	client->certificate_kind = rows_text(rows, row, 19);
	client->certificate_name = rows_text(rows, row, 20);
	client->rotate_refresh = rows_bool(rows, row, 21);
	client->refresh_grace_s = rows_int(rows, row, 22);
	client->backchannel_logout_uri = rows_text(rows, row, 23);
	client->backchannel_session_required = rows_bool(rows, row, 24);
	client->home_page = rows_text(rows, row, 25);
	client->created_us = rows_time(rows, row, 26);
	client->confidential =
		strcmp(client->authentication, CLIENT_BY_NOTHING) != 0;
}

void
client_read(const struct rows *rows, struct arena *arena, size_t row,
	struct client *client)
{
	*client = (struct client){
		.id = rows_int(rows, row, 0),
		.client_id = rows_text(rows, row, 1),
		.name = rows_text(rows, row, 2),
		.node_id = rows_int(rows, row, 3),
		.grants = rows_texts(rows, arena, row, 4),
		.scopes = rows_texts(rows, arena, row, 5),
		.redirect_uris = rows_texts(rows, arena, row, 6),
		.logout_uris = rows_texts(rows, arena, row, 7),
		.origins = rows_texts(rows, arena, row, 8),
		.require_pkce = rows_bool(rows, row, 9),
		.access_token_s = rows_int(rows, row, 10),
		.refresh_idle_s = rows_int(rows, row, 11),
		.refresh_absolute_s = rows_int(rows, row, 12),
		.active = rows_bool(rows, row, 13),
		.epoch = rows_int(rows, row, 14),
	};
	read_settings(rows, row, client);
}

static void
write_list(struct jsonw *json, const char *key, const char *const *list)
{
	jsonw_open_arr(json, key);
	for (; *list != NULL; list++)
		jsonw_str(json, NULL, *list);
	jsonw_close_arr(json);
}

static void
write_proof(struct jsonw *json, const struct client *client)
{
	jsonw_str(json, "authentication", client->authentication);
	jsonw_str(json, "certificateKind", client->certificate_kind);
	jsonw_str(json, "certificateName", client->certificate_name);
	jsonw_bool(json, "node", client->node_id != 0);
	jsonw_bool(json, "trusted", client->trusted);
	jsonw_bool(json, "introspects", client->introspects);
	jsonw_bool(json, "requirePkce", client->require_pkce);
}

static void
write_tokens(struct jsonw *json, const struct client *client)
{
	jsonw_str(json, "algorithm", client->algorithm);
	jsonw_int(json, "accessTokenSeconds", client->access_token_s);
	jsonw_bool(json, "rotateRefresh", client->rotate_refresh);
	jsonw_int(json, "refreshGraceSeconds", client->refresh_grace_s);
	jsonw_int(json, "refreshIdleSeconds", client->refresh_idle_s);
	jsonw_int(json, "refreshAbsoluteSeconds", client->refresh_absolute_s);
	jsonw_str(json, "backchannelLogoutUri", client->backchannel_logout_uri);
	jsonw_bool(json, "backchannelSessionRequired",
		client->backchannel_session_required);
}

void
client_write_members(struct jsonw *json, const struct client *client)
{
	jsonw_str(json, "clientId", client->client_id);
	jsonw_str(json, "name", client->name);
	jsonw_str(json, "homePage", client->home_page);
	jsonw_str(json, "state", client->active ? "active" : "disabled");
	jsonw_time(json, "created", client->created_us);
	write_list(json, "grants", (const char *const *)client->grants);
	write_list(json, "scopes", (const char *const *)client->scopes);
	write_list(json, "redirectUris",
		(const char *const *)client->redirect_uris);
	write_list(
		json, "logoutUris", (const char *const *)client->logout_uris);
	write_list(json, "origins", (const char *const *)client->origins);
	write_proof(json, client);
	write_tokens(json, client);
}

void
client_write(struct jsonw *json, const struct client *client)
{
	jsonw_open_obj(json, NULL);
	client_write_members(json, client);
	jsonw_close_obj(json);
}

const char *
client_json(struct arena *arena, const struct client *client)
{
	struct jsonw *json = jsonw_in(arena);

	client_write(json, client);
	return json->out->data;
}
