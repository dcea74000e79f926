/*
 * enrol: "fieldgrid-ingress enrol": this machine becomes a node.
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

/* Where a node's folder is made, by its name. */
#define ENROL_FOLDER FG_CONF_DIR "/ingress"

struct json_object;

struct enrol {
	struct arena *arena;
	struct fault fault;
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

/* The words behind "fieldgrid-ingress"; returns the exit code. */
int enrol_main(int argc, char **argv);

#endif
