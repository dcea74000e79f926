/*
 * service_start: what the command line of a server program asks for.
 */
#ifndef FG_FCGI_SERVICE_START_H
#define FG_FCGI_SERVICE_START_H

#include "lib/conf.h"
#include "lib/route.h"

/* The [log] entry of a program's table; "member" is a const char *. What it
 * says is set by service_begin. */
#define LOG_CONF_ENTRY(type, member)                                           \
	{                                                                      \
		"log", "level", CONF_TEXT, offsetof(type, member), "info", 0,  \
			0, "error, warn, info or debug"                        \
	}

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

#endif
