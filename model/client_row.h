/* client_row: a client as a row; for the files behind model/client.h only. */
#ifndef FG_MODEL_CLIENT_ROW_H
#define FG_MODEL_CLIENT_ROW_H

#include "model/client.h"

#define CLIENT_COLUMNS                                                         \
	"client.id, client.client_id, client.name,"                            \
	" coalesce(client.node_id, 0), client.grants, client.scopes,"          \
	" client.redirect_uris, client.logout_uris, client.origins,"           \
	" client.require_pkce, client.access_token_s, client.refresh_idle_s,"  \
	" client.refresh_absolute_s, client.state = 'active', client.epoch,"   \
	" client.trusted, client.introspects, client.algorithm,"               \
	" client.authentication, client.certificate_kind,"                     \
	" client.certificate_name, client.rotate_refresh,"                     \
	" client.refresh_grace_s, client.backchannel_logout_uri,"              \
	" client.backchannel_session_required, client.home_page,"              \
	" client.created_at"
#define CLIENT_COLUMNS_COUNT 27

/* The first CLIENT_COLUMNS_COUNT columns of a row. */
void client_read(const struct rows *rows, struct arena *arena, size_t row,
	struct client *client);

#endif
