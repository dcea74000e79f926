/* hub_command_parts: what the files of hub_command share. */
#ifndef FG_FCGI_HUB_COMMAND_PARTS_H
#define FG_FCGI_HUB_COMMAND_PARTS_H

#include <json-c/json.h>

#include "fcgi/hub_command.h"

/* What a client asks of one variable. */
struct wish {
	const char *name;
	struct json_object *value;
	struct json_object *expected; /* NULL = whatever it is */
	const char *comment;
	const char *selection; /* NULL = none */
	int64_t expires_ms;
};

/* One wish on its way. */
struct draft {
	struct wish wish;
	struct hub_variable variable;
	struct value value;
	struct value expected;
	uint8_t selection[UUID_BYTES];
	/* The process of the hub that holds the stream; NULL = this one. */
	const char *via;
	struct fault fault; /* why it cannot even be tried */
};

struct drafts {
	struct hub *hub;
	struct req *req;
	struct draft *items;
	struct command *commands;
	size_t count;
	bool bulk;
	int64_t expires_ms;
	struct command_clock clock;
};

/* All of them, so that the client hears of all that is wrong at once.
 * *refused: "resp" says what. Fails: as policy_check, RC_BAD_INPUT. */
MUST_CHECK enum rc hub_command_check(
	struct drafts *drafts, struct resp *resp, bool *refused);

/* Record a command for each, as it is sent or refused. Fails: RC_CONFLICT by
 * selections, RC_UNAVAILABLE, RC_DB, RC_RETRY. */
MUST_CHECK enum rc hub_command_make(struct drafts *drafts);

/* Send what is to be sent, and answer now or hand the request over. */
void hub_command_send(struct drafts *drafts, struct resp *resp);

#endif
