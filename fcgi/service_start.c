/* service_start: what the command line of a server program asks for. */

#include "fcgi/service_start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/guard.h"
#include "lib/log.h"

static void
print_routes(const struct route *routes)
{
	static const char *const needs[] = {
		[NEED_NONE] = "none",
		[NEED_LOGIN] = "login",
		[NEED_API] = "api",
		[NEED_ADMIN] = "admin",
		[NEED_NODE] = "node",
	};

	for (; routes->pattern != NULL; routes++)
		printf("%-7s %-60s %-6s %s\n", method_name(routes->method),
			routes->pattern, needs[routes->need],
			routes->summary != NULL ? routes->summary : "");
}

static void
print_help(const char *name, const struct conf_entry *entries)
{
	printf("Usage: %s [--config FILE] [--check-config] [--routes]\n"
	       "       %s --help | --version\n\n"
	       "Configuration keys:\n",
		name, name);
	conf_help(stdout, entries);
}

/* What the options ask for; "config" is changed by --config. */
enum wish { WISH_RUN, WISH_CHECK, WISH_DONE, WISH_WRONG };

static enum wish
read_options(int argc, char **argv, const char *name,
	const struct conf_entry *entries, const struct route *routes,
	const char **config)
{
	enum wish wish = WISH_RUN;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			print_help(name, entries);
			return WISH_DONE;
		} else if (strcmp(argv[i], "--version") == 0) {
			printf("%s %s\n", name, FG_VERSION);
			return WISH_DONE;
		} else if (strcmp(argv[i], "--routes") == 0 && routes != NULL) {
			print_routes(routes);
			return WISH_DONE;
		} else if (strcmp(argv[i], "--check-config") == 0) {
			wish = WISH_CHECK;
		} else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
			*config = argv[++i];
		} else {
			fprintf(stderr, "%s: unknown option %s; see --help\n",
				name, argv[i]);
			return WISH_WRONG;
		}
	}
	return wish;
}

/* A program whose table has [log] level gets what it says. */
static enum rc
set_log_level(const char *config, const struct conf_entry *entries,
	const void *target, struct fault *fault)
{
	for (; entries->section != NULL; entries++) {
		const char *level;

		if (strcmp(entries->section, "log") != 0 ||
			strcmp(entries->key, "level") != 0)
			continue;
		memcpy(&level, (const char *)target + entries->offset,
			sizeof(level));
		if (!log_set_level(level))
			return fault_set(fault, RC_BAD_INPUT,
				"%s: [log] level is error, warn, info or "
				"debug, not \"%s\"",
				config, level);
	}
	return RC_OK;
}

static enum rc
load(const char *config, const struct conf_entry *entries,
	const struct route *routes, struct arena *arena, void *target,
	struct fault *fault)
{
	enum rc rc = conf_load(arena, config, entries, target, fault);

	if (rc == RC_OK)
		rc = set_log_level(config, entries, target, fault);
	if (rc == RC_OK && routes != NULL)
		rc = route_check(routes, fault);
	return rc;
}

static const char *
default_config(struct arena *arena, const char *name)
{
	const char *dash = strchr(name, '-');

	return arena_printf(arena, "%s/%s.conf", FG_CONF_DIR,
		dash != NULL ? dash + 1 : name);
}

static struct service_start
end_with(int exit_code)
{
	return (struct service_start){
		.next = SERVICE_EXIT, .exit_code = exit_code};
}

struct service_start
service_begin(int argc, char **argv, const char *name,
	const struct conf_entry *entries, const struct route *routes,
	struct arena *arena, void *target)
{
	const char *config = default_config(arena, name);
	struct fault fault;
	enum wish wish;

	guard_process();
	log_open(name, LOG_INFO);
	wish = read_options(argc, argv, name, entries, routes, &config);
	if (wish == WISH_DONE || wish == WISH_WRONG)
		return end_with(wish == WISH_DONE ? EXIT_SUCCESS : 2);
	if (load(config, entries, routes, arena, target, &fault) != RC_OK) {
		fprintf(stderr, "%s: %s\n", name, fault.text);
		return end_with(EXIT_FAILURE);
	}
	if (wish == WISH_CHECK) {
		printf("%s: the configuration is valid\n", config);
		return end_with(EXIT_SUCCESS);
	}
	return (struct service_start){.config = config, .next = SERVICE_RUN};
}
