/* node_event: what becomes of nodes, as events of the grid. */

#include "model/node_event.h"

#include <string.h>

#include "lib/clock.h"

static const struct {
	const char *action; /* of the audit */
	const char *kind;
	const char *words;
} changes[] = {
	{"node.create", "node.created", "may be enrolled"},
	{"node.approve", "node.authorised", "was let in"},
	{"node.authorise", "node.authorised", "was let in"},
	{"node.block", "node.blocked", "was blocked"},
	{"node.unblock", "node.unblocked", "was let in again"},
	{"node.retire", "node.retired", "was retired for good"},
	{"node.revoke", "node.revoked", "lost a certificate"},
	{"node.remove", "node.removed", "was removed"},
};

enum rc
node_event_write(struct db *db, struct arena *arena, const char *action,
	const char *node, const struct node_event_by *by, struct fault *fault)
{
	struct event_new event = {.time_us = CLOCK_NEVER,
		.username = by->username,
		.computer = by->computer};

	for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
		if (strcmp(changes[i].action, action) != 0)
			continue;
		event.kind = changes[i].kind;
		event.text = arena_printf(
			arena, "node %s %s", node, changes[i].words);
		return event_write(db, arena, &event, 1, fault);
	}
	return RC_OK;
}
