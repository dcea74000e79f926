/* ctl_node: what the files of the commands about nodes share. */
#ifndef FG_FCGI_CTL_NODE_H
#define FG_FCGI_CTL_NODE_H

#include "fcgi/ctl.h"
#include "model/enrolment.h"

/* The node of the first argument, a name or a UUID. Fails: RC_NOT_FOUND. */
MUST_CHECK enum rc ctl_node_find(struct ctl *ctl, struct enrolled *node);

/* Record an action about a node: in the audit, and what becomes of it as an
 * event. Between ctl_begin and ctl_end. Fails: as ctl_audit. */
MUST_CHECK enum rc ctl_node_record(struct ctl *ctl, const char *action,
	const char *name, const char *after);

extern const struct stmt *const ctl_node_view_stmts[];
MUST_CHECK enum rc ctl_node_list(struct ctl *ctl);
MUST_CHECK enum rc ctl_node_show(struct ctl *ctl);
MUST_CHECK enum rc ctl_node_certificates(struct ctl *ctl);

extern const struct stmt *const ctl_node_change_stmts[];
MUST_CHECK enum rc ctl_node_change(struct ctl *ctl);
MUST_CHECK enum rc ctl_node_remove(struct ctl *ctl);
MUST_CHECK enum rc ctl_node_revoke(struct ctl *ctl);

#endif
