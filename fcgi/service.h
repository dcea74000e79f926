/*
 * service: what every FastCGI program does around its handlers.
 *
 * Accept on descriptor 0, build the request, match the route, authenticate,
 * run the handler, answer, log one line. Only identity facts that nginx sets
 * as parameters without HTTP_ are trusted.
 */
#ifndef FG_FCGI_SERVICE_H
#define FG_FCGI_SERVICE_H

#include "lib/conf.h"
#include "lib/db.h"
#include "lib/route.h"

/* The [log] entry of a program's table; "member" is a const char *. What it
 * says is set by service_begin. */
#define LOG_CONF_ENTRY(type, member)                                           \
	{                                                                      \
		"log", "level", CONF_TEXT, offsetof(type, member), "info", 0,  \
			0, "error, warn, info or debug"                        \
	}

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
};

/* The start of every program's main: what the command line asked for. */
struct service_start {
	const char *config; /* path */
	enum { SERVICE_RUN, SERVICE_EXIT } next;
	int exit_code; /* when next is SERVICE_EXIT */
};

/*
 * Handle --help, --version, --routes and --check-config, and load the
 * configuration into "target" (its texts live in "arena").
 * "routes" may be NULL. Errors go to stderr.
 */
struct service_start service_begin(int argc, char **argv, const char *name,
	const struct conf_entry *entries, const struct route *routes,
	struct arena *arena, void *target);

/* Serve until SIGTERM with one thread; returns the exit code. */
int service_run(const struct service *service);

/* One of several accept threads: own connection, own gate. Returns after
 * service_stop. */
void service_loop(const struct service *service);

/* Let every loop end after its current request. Safe in signal handlers. */
void service_stop(void);

#endif
