/* hub_place: of two agents of one node only one is at work. */

#include <stdio.h>
#include <string.h>

#include "fcgi/hub_nodes.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/caller.h"
#include "model/event.h"
#include "model/node.h"

/* A hub that has just started knows who was at work, but not since when it is
 * not any more: it waits as if that were now. Needs: node->place_lock. */
static enum rc
remember(struct hub_node *node, struct req *req)
{
	const char *place;
	enum rc rc;

	if (node->place_us != 0)
		return RC_OK;
	rc = node_place_find(
		req->db, req->arena, node->id, &place, &req->fault);
	if (rc != RC_OK)
		return rc;
	snprintf(node->place, sizeof(node->place), "%s", place);
	node->place_us = clock_steady_us();
	return RC_OK;
}

/* Needs: node->place_lock. */
static bool
may_take(const struct hub_node *node, const char *place)
{
	return node->place[0] == '\0' || strcmp(node->place, place) == 0 ||
	       clock_steady_us() - node->place_us > HUB_PLACE_US;
}

/* What is news of a place. */
enum place_news { PLACE_KNOWN, PLACE_MOVED, PLACE_REFUSED };

/* Of two agents the one at work stays it. Needs: node->place_lock. */
static enum rc
take(struct hub_node *node, struct req *req, const char *place, bool *taken,
	enum place_news *news)
{
	bool moved = false;
	enum rc rc = RC_OK;

	*taken = may_take(node, place);
	if (!*taken) {
		if (strcmp(node->refused, place) != 0)
			*news = PLACE_REFUSED;
		snprintf(node->refused, sizeof(node->refused), "%s", place);
		return RC_OK;
	}
	if (strcmp(node->place, place) != 0)
		rc = node_place_keep(
			req->db, node->id, place, &moved, &req->fault);
	if (rc != RC_OK)
		return rc;
	if (moved && node->place[0] != '\0')
		*news = PLACE_MOVED;
	snprintf(node->place, sizeof(node->place), "%s", place);
	node->place_us = clock_steady_us();
	return RC_OK;
}

/* What was decided counts also when this cannot be written. */
static void
report(struct req *req, enum place_news news, const char *place,
	const char *old_place)
{
	bool moved = news == PLACE_MOVED;
	struct event_new event = {.time_us = CLOCK_NEVER,
		.kind = moved ? "node.moved" : "node.doubled",
		.text = arena_printf(req->arena,
			moved ? "the agent of node %s works in another place "
				"than before: its machine was started anew, "
				"or another agent has taken over"
			      : "a second agent of node %s was refused: it has "
				"a copy of the spool of the one that is at "
				"work",
			req->caller->name),
		.value = place,
		.old_value = old_place};
	struct fault fault;

	log_warn(req->id, "%s", event.text);
	event_of_caller(req, &event);
	if (event_write(req->db, req->arena, &event, 1, &fault) != RC_OK)
		log_error(req->id, "%s", fault.text);
}

enum rc
hub_node_check_place(struct hub_node *node, struct req *req)
{
	const char *place = req_header(req, "Fieldgrid-Place");
	enum place_news news = PLACE_KNOWN;
	char before[HUB_PLACE_BYTES];
	bool taken = true;
	enum rc rc;

	if (place == NULL || place[0] == '\0' ||
		strlen(place) >= HUB_PLACE_BYTES)
		return RC_OK;
	pthread_mutex_lock(&node->place_lock);
	rc = remember(node, req);
	memcpy(before, node->place, sizeof(before));
	if (rc == RC_OK)
		rc = take(node, req, place, &taken, &news);
	pthread_mutex_unlock(&node->place_lock);
	if (rc == RC_OK && news != PLACE_KNOWN)
		report(req, news, place, before);
	if (rc != RC_OK || taken)
		return rc;
	return fault_tell(&req->fault, RC_CONFLICT, "AgentRuns", NULL,
		"Another agent of this node is at work. Stop it, or enrol this "
		"one as a node of its own, with a new spool.");
}
