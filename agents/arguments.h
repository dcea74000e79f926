/* arguments: the command line of an agent's program. */
#ifndef FG_AGENTS_ARGUMENTS_H
#define FG_AGENTS_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/conf.h"

struct arguments {
	const char *config;
	bool check;
	int64_t dump_s; /* 0 = do not dump */
};

/* What the programs differ in. */
struct arguments_kind {
	const char *program;
	const char *usage; /* up to the keys of the configuration */
	const struct conf_entry *(*table)(struct arena *arena);
	bool dumps; /* knows --dump */
};

/* Ends the process for --help and --version, and for what is wrong. */
void arguments_parse(int argc, char **argv, const struct arguments_kind *kind,
	struct arguments *arguments);

#endif
