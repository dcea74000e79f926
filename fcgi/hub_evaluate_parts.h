/* hub_evaluate_parts: what the files of the hub's evaluation share. */
#ifndef FG_FCGI_HUB_EVALUATE_PARTS_H
#define FG_FCGI_HUB_EVALUATE_PARTS_H

#include "fcgi/hub_evaluate.h"
#include "model/alarm_engine.h"

/* A datasource with limits of the hub. */
struct plant {
	int32_t id;
	uint8_t uuid[UUID_BYTES];
	struct alarm_engine *engine;
	int64_t version;       /* of the state in the database; 0 = none */
	uint64_t saved;        /* version of the engine then */
	int32_t *variable_ids; /* rising: those that the engine looks at */
	size_t variable_count;
	bool wanted; /* it still has limits */
};

struct evaluator {
	struct hub *hub;
	struct db *db;
	struct arena *arena; /* of a step, such as a few frames */
	struct arena *round; /* of all steps of a round */
	struct fault fault;
	bool owner;
	struct plant *plants;
	size_t count;
	int64_t limits_version; /* hub->limits_version that was read */
	struct buf state;
	int64_t nodes_due_us; /* steady: look for nodes that are new */
	int64_t complain_us;  /* steady: not before */
};

/* Set the engines to the limits that there are, if they have changed; a new one
 * goes on from the state in the database.
 * Fails: as db_query; RC_RETRY a datasource is not known yet. */
MUST_CHECK enum rc hub_evaluate_limits(struct evaluator *evaluator);

/* Whatever is in memory only. */
void hub_evaluate_forget(struct evaluator *evaluator);

#endif
