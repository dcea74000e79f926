/* feed_hold: packed frames that stay for egress nodes, and when they go. */

#include "model/feed_hold.h"

enum { FORGET, TAKEN, EXPIRE };

const struct stmt feed_hold_stmts[] = {
	[FORGET] = {"feed_hold_forget", "z", /* $1 since */
		"DELETE FROM feed_reader WHERE seen_at < $1"},
	/* What no reader of the datasource lacks. One that has taken nothing
	 * of a sender yet is at 0. "top" is what the index is asked for. */
	[TAKEN] = {"feed_hold_taken", "",
		"WITH floor AS ("
		" SELECT n.node_id"
		"      , d.datasource_id"
		"      , min(coalesce(p.sequence, 0)) AS sequence"
		"      , min(coalesce(p.frame_id, 0)) AS frame_id"
		"   FROM feed_reader r"
		"   JOIN node e ON e.id = r.node_id AND e.state = 'authorised'"
		"   JOIN node_datasource d ON d.node_id = r.node_id"
		"    AND d.subscribe"
		"  CROSS JOIN node_position n"
		"   LEFT JOIN feed_position p ON p.node_id = r.node_id"
		"    AND p.source_id = n.node_id"
		"  GROUP BY n.node_id, d.datasource_id)"
		", top AS ("
		" SELECT n.node_id"
		"      , coalesce(max(floor.sequence), 9223372036854775807)"
		"        AS sequence"
		"   FROM node_position n LEFT JOIN floor USING (node_id)"
		"  GROUP BY n.node_id)"
		" DELETE FROM frame f USING top"
		"  WHERE f.node_id = top.node_id AND f.sequence <= top.sequence"
		"    AND f.packed AND NOT EXISTS"
		"        (SELECT FROM floor"
		"          WHERE floor.node_id = f.node_id"
		"            AND floor.datasource_id = f.datasource_id"
		"            AND (floor.sequence < f.sequence"
		"                 OR floor.frame_id < f.id))"},
	[EXPIRE] = {"feed_hold_expire", "z", /* $1 since */
		"WITH old AS ("
		" DELETE FROM frame WHERE packed AND received_at < $1"
		" RETURNING node_id, sequence, id, first_us, last_us)"
		", lost AS ("
		" SELECT p.node_id"
		"      , p.source_id"
		"      , max(old.sequence) AS sequence"
		"      , max(old.id) AS id"
		"      , min(old.first_us) AS first_us"
		"      , max(old.last_us) AS last_us"
		"   FROM old"
		"   JOIN feed_position p ON p.source_id = old.node_id"
		"    AND (p.sequence < old.sequence OR p.frame_id < old.id)"
		"  GROUP BY p.node_id, p.source_id)"
		" UPDATE feed_position p"
		"    SET lost_sequence = greatest(p.lost_sequence, "
		"lost.sequence)"
		"      , lost_id = greatest(p.lost_id, lost.id)"
		"      , lost_first_us = least(p.lost_first_us, lost.first_us)"
		"      , lost_last_us = greatest(p.lost_last_us, lost.last_us)"
		"   FROM lost"
		"  WHERE p.node_id = lost.node_id"
		"    AND p.source_id = lost.source_id"},
	STMT_END,
};

enum rc
feed_hold_release(
	struct db *db, int64_t since_us, int64_t *expired, struct fault *fault)
{
	enum rc rc = db_exec(db, &feed_hold_stmts[FORGET],
		PARAMS(P_TIME(since_us)), NULL, fault);

	if (rc == RC_OK)
		rc = db_exec(
			db, &feed_hold_stmts[TAKEN], NO_PARAMS, NULL, fault);
	if (rc == RC_OK)
		rc = db_exec(db, &feed_hold_stmts[EXPIRE],
			PARAMS(P_TIME(since_us)), expired, fault);
	return rc;
}
