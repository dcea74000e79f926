/* enrol_kind: what differs between the agents that become nodes. */

#include "agents/enrol_kind.h"

#include <stdbool.h>
#include <string.h>

#define HUB_TEXT                                                               \
	"[hub]\n"                                                              \
	"url = %s\n"                                                           \
	"ca = %s\n"                                                            \
	"certificate = node.pem\n"                                             \
	"key = node.key\n"                                                     \
	"client_id = %s\n"                                                     \
	"client_secret = client_secret\n"                                      \
	"\n"

/* --- ingress -------------------------------------------------------------- */

static const char ingress_text[] =
	"; fieldgrid-ingress of the node %s, written by \"fieldgrid-ingress "
	"enrol\".\n"
	"; fieldgrid-ingress --help lists every key; doc/AGENT.md explains "
	"them.\n"
	"\n" HUB_TEXT "[agent]\n"
	"%s\n"
	"datasource = %s\n"
	"variables = variables.csv\n"
	"; csv, host or sim\n"
	"driver = host\n"
	"\n"
	"[spool]\n"
	"folder = %s\n";

static const char *
ingress_conf(struct arena *arena, const struct enrol_node *node)
{
	bool none = node->datasource[0] == '\0';

	return arena_printf(arena, ingress_text, node->name, node->node_url,
		node->trust, node->client_id,
		none ? "; no datasource was allowed yet: put its UUID here"
		     : arena_printf(arena, "; %s", node->datasource_name),
		none ? "00000000-0000-4000-8000-000000000000"
		     : node->datasource,
		node->state);
}

static const char *
ingress_list(struct arena *arena, const struct enrol_node *node)
{
	(void)arena;
	(void)node;
	return "name,address,type,unit,decimals,description\n"
	       "cpu/usage,,float,%,1,Load of all processors\n"
	       "memory/usage,,float,%,1,Memory in use\n"
	       "disk/root/usage,,float,%,1,Disk in use\n"
	       "system/uptime,,float,s,0,Time since the start\n";
}

const struct enrol_kind enrol_ingress = {
	.kind = "ingress",
	.right = "publish",
	.folder = FG_CONF_DIR "/ingress",
	.state = "/var/lib/fieldgrid/spool",
	.list = "variables.csv",
	.sends = "It sends to",
	.next = "list the variables in variables.csv and choose the driver in\n"
		"  ingress.conf (doc/AGENT.md); now it reads this machine "
		"itself",
	.write_conf = ingress_conf,
	.write_list = ingress_list,
};

/* --- egress --------------------------------------------------------------- */

static const char egress_text[] =
	"; fieldgrid-egress of the node %s, written by \"fieldgrid-egress "
	"enrol\".\n"
	"; fieldgrid-egress --help lists every key; doc/EGRESS.md explains "
	"them.\n"
	"\n" HUB_TEXT "[egress]\n"
	"mirror = mirror.csv\n"
	"outlet = file\n"
	"state = %s\n"
	"\n"
	"[file]\n"
	"folder = %s/data\n";

static const char *
egress_conf(struct arena *arena, const struct enrol_node *node)
{
	return arena_printf(arena, egress_text, node->name, node->node_url,
		node->trust, node->client_id, node->state, node->state);
}

/* All that it may receive, as it is called there. */
static const char *
egress_list(struct arena *arena, const struct enrol_node *node)
{
	const char *text = "datasource,variables,prefix,alarms,events\n";
	const char *at = node->datasources;

	while (*at != '\0') {
		size_t length = strcspn(at, "\n");

		text = arena_printf(
			arena, "%s%.*s,*,,yes,yes\n", text, (int)length, at);
		at += length + (at[length] == '\n');
	}
	return text;
}

const struct enrol_kind enrol_egress = {
	.kind = "egress",
	.right = "subscribe",
	.folder = FG_CONF_DIR "/egress",
	.state = "/var/lib/fieldgrid/egress",
	.list = "mirror.csv",
	.sends = "It receives",
	.next = "choose what is mirrored in mirror.csv and where to in\n"
		"  egress.conf (doc/EGRESS.md); now it mirrors everything into "
		"files",
	.write_conf = egress_conf,
	.write_list = egress_list,
};
