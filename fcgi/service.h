/*
 * service: what every FastCGI program does around its handlers.
 *
 * Accept on descriptor 0, build the request, match the route, authenticate,
 * run the handler, answer, log one line. Only identity facts that nginx sets
 * as parameters without HTTP_ are trusted.
 */
#ifndef FG_FCGI_SERVICE_H
#define FG_FCGI_SERVICE_H

#include "fcgi/service_start.h"
#include "lib/db.h"
#include "lib/route.h"

struct service {
	const char *name;
	const struct route *routes;
	const struct stmt *const *stmts; /* for db_open */
	const void *app;                 /* req->app */
	const struct db_conf *database;
	const char *issuer;
	/* Answer a fault as a page; NULL = the JSON envelope. */
	void (*page_fault)(
		struct req *req, struct resp *resp, const struct fault *fault);
	/* Hear of every fault before it is answered, e.g. to count it. */
	void (*note_fault)(const struct req *req, const struct fault *fault);
	/* The caller's policies; NULL = each loop keeps its own. */
	struct policy_cache *policies;
	/* Rights may have changed: drop what was kept of them. Called by each
	 * loop before a request; NULL = nothing is kept. */
	void (*rights_changed)(const void *app);
};

/* Serve until SIGTERM with one thread; returns the exit code. */
int service_run(const struct service *service);

/* One of several accept threads: own connection, own gate. Returns after
 * service_stop. */
void service_loop(const struct service *service);

/* Let every loop end after its current request. Safe in signal handlers. */
void service_stop(void);

#endif
