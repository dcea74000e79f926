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

/* *taken: it is the one at work, now if not before. *news: else, it was not
 * refused just before. Needs: node->place_lock. */
static enum rc
take(struct hub_node *node, struct req *req, const char *place, bool *taken,
	bool *news)
{
	enum rc rc = remember(node, req);

	if (rc != RC_OK)
		return rc;
	*taken = may_take(node, place);
	*news = !*taken && strcmp(node->refused, place) != 0;
	if (!*taken) {
		snprintf(node->refused, sizeof(node->refused), "%s", place);
		return RC_OK;
	}
	if (strcmp(node->place, place) != 0)
		rc = node_place_keep(req->db, node->id, place, &req->fault);
	if (rc != RC_OK)
		return rc;
	snprintf(node->place, sizeof(node->place), "%s", place);
	node->place_us = clock_steady_us();
	return RC_OK;
}

/* The refusal counts also when this cannot be written. */
static void
report(struct req *req)
{
	struct event_new event = {.time_us = CLOCK_NEVER,
		.kind = "node.doubled",
		.text = arena_printf(req->arena,
			"a second agent of node %s was refused: it has a copy "
			"of the spool of the one that is at work",
			req->caller->name)};
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
	bool taken = true;
	bool news = false;
	enum rc rc;

	if (place == NULL || place[0] == '\0' ||
		strlen(place) >= HUB_PLACE_BYTES)
		return RC_OK;
	pthread_mutex_lock(&node->place_lock);
	rc = take(node, req, place, &taken, &news);
	pthread_mutex_unlock(&node->place_lock);
	if (rc != RC_OK || taken)
		return rc;
	if (news)
		report(req);
	return fault_tell(&req->fault, RC_CONFLICT, "AgentRuns", NULL,
		"Another agent of this node is at work. Stop it, or enrol this "
		"one as a node of its own, with a new spool.");
}
