/*
 * limits_sync: an agent's limits and the hub's, brought together.
 *
 * The hub shows the limits of the agent's CSV, read-only, and hands out those
 * that were engineered there. The latter are kept in the file "limits" in the
 * spool's folder.
 */
#ifndef FG_AGENTS_LIMITS_SYNC_H
#define FG_AGENTS_LIMITS_SYNC_H

#include "agents/agent.h"
#include "agents/hub.h"

/* Take over what an earlier run was handed. */
void limits_sync_load(struct agent *agent);

/*
 * Declare the agent's own limits to the hub. One that the hub refuses for good
 * is told as an event, and counts here nevertheless.
 * Fails: as hub_put, when the hub cannot be reached.
 */
MUST_CHECK enum rc limits_sync_declare(
	struct agent *agent, struct hub *hub, struct fault *fault);

/* Take over the hub's limits, and keep them. Fails: likewise. */
MUST_CHECK enum rc limits_sync_fetch(
	struct agent *agent, struct hub *hub, struct fault *fault);

#endif
