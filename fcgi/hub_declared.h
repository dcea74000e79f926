/* hub_declared: what a node's declaration of variables changed, for the audit.
 */
#ifndef FG_FCGI_HUB_DECLARED_H
#define FG_FCGI_HUB_DECLARED_H

#include "lib/req.h"
#include "model/variable.h"

/*
 * Record new variables and changed access flags of "datasource" (its UUID as
 * text); nothing when all was as before, as after an agent's restart.
 * Fails: as audit_write.
 */
MUST_CHECK enum rc hub_declared_audit(struct req *req, const char *datasource,
	const struct variable_list *before, const struct variable_list *after);

#endif
