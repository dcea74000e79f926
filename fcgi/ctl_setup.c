/* ctl_setup: install a grid for good; the work is done by a script. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fcgi/ctl.h"

static const struct ctl_option options[] = {
	{"host", "NAME", "name under which clients reach the grid"},
	{"https-port", "N", "browsers and API; default 9443"},
	{"node-port", "N", "agents, mutual TLS; default 9410"},
	{"api-port", "N", "API of the original product; default 9400"},
	{"identity-port", "N",
		"identity of the original product; default 9430"},
	{"no-start", NULL, "prepare everything, but start nothing"},
	CTL_OPTIONS_END,
};

/* Becomes the script with the same options. */
static enum rc
setup(struct ctl *ctl)
{
	const char *path = FG_LIBEXEC_DIR "/setup";
	char *words[2 + 2 * CTL_OPTIONS_MAX + 1] = {
		arena_strdup(ctl->arena, "setup")};
	int count = 1;

	for (int i = 0; i < ctl->given_count; i++) {
		words[count++] = arena_printf(
			ctl->arena, "--%s", ctl->given[i].option->name);
		if (ctl->given[i].option->value != NULL)
			words[count++] =
				arena_strdup(ctl->arena, ctl->given[i].value);
	}
	execv(path, words);
	return fault_set(&ctl->fault, RC_IO, "%s: %s", path, strerror(errno));
}

const struct ctl_command ctl_setup_commands[] = {
	{.noun = "setup",
		.verb = "",
		.arguments = "",
		.help = "install a grid for good on this machine: database, "
			"keys, configuration, nginx site, services; as root; "
			"harmless when it is done",
		.options = options,
		.run = setup},
	CTL_COMMANDS_END,
};
