/*
 * enrol: "fieldgrid-ingress enrol" and the same of fieldgrid-egress: this
 * machine becomes a node.
 *
 * Every step leaves its result in a folder beside the one that is made, so
 * that the same command goes on where it was cut off.
 */
#ifndef FG_AGENTS_ENROL_H
#define FG_AGENTS_ENROL_H

#include <stdbool.h>
#include <stdint.h>

#include "agents/enrol_files.h"
#include "lib/http.h"
#include "model/enrolment_code.h"

struct json_object;

struct enrol {
	struct arena *arena;
	struct fault fault;
	const struct enrol_kind *kind;
	/* The command line. */
	const char *url;
	const char *folder; /* NULL = by the node's name */
	bool force;
	int64_t wait_s;
	struct enrolment_code code;
	/* What is found on the way. */
	const char *staging;
	const char *trust; /* path of who may have signed the server; NULL =
			      the system's list */
	struct http *http;
	struct json_object *access; /* in the arena */
	struct enrol_node node;
};

/* All of it; "fault" has the words when something failed. */
MUST_CHECK enum rc enrol_run(struct enrol *enrol);
void enrol_close(struct enrol *enrol);

/* The words behind the program's name; returns the exit code. */
int enrol_main(const struct enrol_kind *kind, int argc, char **argv);

#endif
