/*
 * audit: adding to the record of who did what.
 *
 * Write the row in the transaction of the action: when the audit cannot be
 * written, the action must fail too. Never put a password, code, token, cookie
 * or secret into it. Reading is audit_read.h, the chain audit_chain.h.
 */
#ifndef FG_MODEL_AUDIT_H
#define FG_MODEL_AUDIT_H

#include <stdint.h>

#include "lib/db.h"
#include "lib/req.h"

#define AUDIT_OK      "ok"
#define AUDIT_REFUSED "refused"
#define AUDIT_FAILED  "failed"

/* For db_open of every program that changes or refuses something. */
extern const struct stmt audit_stmts[];

/* What happened. */
struct audit {
	const char *action; /* noun.verb in lower case: "role.create" */
	const char *object; /* "kind:name": "role:Operators" */
	const char *result; /* AUDIT_OK, AUDIT_REFUSED or AUDIT_FAILED */
	const char *before; /* JSON; NULL = there was nothing */
	const char *after;  /* JSON; NULL = nothing is left */
	int64_t repeats;    /* equal ones merged into this row; 0 means 1 */
};

/* Who did it; NULL members are "". */
struct audit_actor {
	const char *kind;    /* nobody, user, client, node, operator, service */
	const char *name;    /* for people */
	const char *subject; /* uuid of a user or node, client_id */
	const char *client;  /* client_id of the program that a user used */
	const char *address;
	const char *request; /* id of the request, as in the log */
};

/*
 * Record what the caller of "req" did, with its address and request id; in the
 * open transaction when there is one. Text that is too long is cut, what is
 * not text becomes '?', and values above 32 KiB become their size. A result
 * other than AUDIT_OK keeps the service from recording the refusal once more;
 * its row must be committed, although the request is refused.
 * Fails: as db_exec.
 */
MUST_CHECK enum rc audit_write(struct req *req, const struct audit *what);

/* As audit_write where there is no caller: keeper, command line, log-in. */
MUST_CHECK enum rc audit_write_by(struct db *db,
	const struct audit_actor *actor, const struct audit *what,
	struct fault *fault);

/*
 * A JSON object of texts for "before" and "after": names and values in turn,
 * NULL at the end; a NULL value is null. Lives in "arena".
 */
const char *audit_values(struct arena *arena, const char *name, ...)
	__attribute__((sentinel));

/* The caller of "req" as an actor; its texts live as long as the request. */
struct audit_actor audit_actor_of(const struct req *req);

#endif
