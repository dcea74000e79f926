/*
 * controller_node: nodes for administrators. {node} is a name or a UUID.
 * Every change is in the audit, in the same transaction.
 */
#ifndef FG_FCGI_CONTROLLER_NODE_H
#define FG_FCGI_CONTROLLER_NODE_H

#include "fcgi/controller.h"

/* GET and POST /api/v1/admin/nodes: 200 a page; 201 with a token. */
MUST_CHECK enum rc controller_node_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_create(struct req *req, struct resp *resp);

/* GET, PATCH and DELETE of one: 200, 200, 204. */
MUST_CHECK enum rc controller_node_show(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_remove(struct req *req, struct resp *resp);

/* POST …/token: 201, another token. */
MUST_CHECK enum rc controller_node_token(struct req *req, struct resp *resp);

/* POST …/approve, block, unblock, retire: 200 the node as it is now. */
MUST_CHECK enum rc controller_node_approve(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_block(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_unblock(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_retire(struct req *req, struct resp *resp);

/* GET …/certificates: 200; DELETE …/certificates/{fingerprint}: 204. */
MUST_CHECK enum rc controller_node_certificates(
	struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_revoke(struct req *req, struct resp *resp);

/* PUT and DELETE …/datasources/{ds}: 200 the node, 204. */
MUST_CHECK enum rc controller_node_allow(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_node_disallow(struct req *req, struct resp *resp);

#endif
