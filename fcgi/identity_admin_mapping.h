/*
 * identity_admin_mapping: what the groups of an outside source are here, for
 * administrators, by REST: the same for directories and for providers.
 *
 * A mapping is {"external", "group"}: in the body of PUT, in the query of
 * DELETE. Every change is in the audit, in the transaction of the change.
 */
#ifndef FG_FCGI_IDENTITY_ADMIN_MAPPING_H
#define FG_FCGI_IDENTITY_ADMIN_MAPPING_H

#include "lib/req.h"
#include "lib/resp.h"
#include "model/group_mapping.h"

struct admin_source {
	const char *kind;   /* as the audit calls it: directory, provider */
	const char *name;   /* of the one that was found */
	const char *source; /* as in model/group_mapping.h */
};

MUST_CHECK enum rc admin_mapping_list(
	struct req *req, struct resp *resp, const struct admin_source *source);

/* Fails: RC_BAD_INPUT, RC_NOT_FOUND the group, or the mapping to end. */
MUST_CHECK enum rc admin_mapping_set(struct req *req, struct resp *resp,
	const struct admin_source *source, enum group_mapping_change change);

#endif
