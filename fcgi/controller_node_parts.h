/* controller_node_parts: what the files of controller_node.h share. */
#ifndef FG_FCGI_CONTROLLER_NODE_PARTS_H
#define FG_FCGI_CONTROLLER_NODE_PARTS_H

#include "fcgi/controller_node.h"
#include "model/enrolment.h"

/* A token as it is shown once. */
struct controller_token {
	const char *code; /* NULL = none */
	int64_t expires_us;
};

/* The {node} of the path. Fails: RC_NOT_FOUND with words. */
MUST_CHECK enum rc controller_node_find(struct req *req, struct enrolled *node);

/* A transaction around a change and its record. */
MUST_CHECK enum rc controller_node_begin(struct req *req);
MUST_CHECK enum rc controller_node_end(struct req *req, enum rc rc);
MUST_CHECK enum rc controller_node_record(struct req *req, const char *action,
	const char *name, const char *before, const char *after);

/* The members of a token, in an open object. */
void controller_node_write_token(struct jsonw *json, struct req *req,
	const char *kind, const struct controller_token *shown);

/* The node as it is now, with a token when there is one. */
MUST_CHECK enum rc controller_node_answer(struct req *req, struct resp *resp,
	int64_t id, int status, const struct controller_token *shown);

#endif
