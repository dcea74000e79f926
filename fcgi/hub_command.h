/*
 * hub_command: from a client's wish to a command on its way to a plant.
 *
 * PATCH of one variable or of many. Everything is checked, recorded, sent and
 * then left to hub_wait: no worker waits for a plant. doc/API.md has the form.
 */
#ifndef FG_FCGI_HUB_COMMAND_H
#define FG_FCGI_HUB_COMMAND_H

#include "fcgi/hub.h"
#include "model/command.h"
#include "model/policy.h"

handler_fn hub_command_patch;
handler_fn hub_commands_patch;

/* POST /hub/v1/results: what a plant says about commands. */
handler_fn hub_results_post;

/* Selections: fcgi/hub_selection.c. */
handler_fn hub_selection_post;
handler_fn hub_selection_delete;
handler_fn hub_selection_patch;

/* The clock that expiry is counted on, now. */
struct command_clock hub_command_clock(const struct hub *hub);

/* The variable of the path's datasource, as far as commands need it, in the
 * request's arena. Fails: as policy_check for "action". */
struct hub_variable {
	struct variable meta;
	struct value value; /* VALUE_NONE: not known */
	int32_t datasource_id;
	const char *datasource; /* its UUID */
};
MUST_CHECK enum rc hub_command_variable(struct req *req, const char *name,
	enum policy_action action, struct hub_variable *variable);

/* A command to a node whose stream is here, good until "expires_us" on this
 * hub's clock. False: it has none any more, nothing was sent. */
bool hub_command_pass(struct hub *hub, struct arena *arena,
	const struct command *command, int64_t expires_us);

/* Who reads the variable of a confirmed command from now on finds what was
 * written, also before the plant's next frame. */
void hub_command_show(
	struct hub *hub, struct arena *arena, const struct command *command);

/* End what was not confirmed in time, until hub->stopping. */
void hub_command_run(struct hub *hub);

#endif
