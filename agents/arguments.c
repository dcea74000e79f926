/* arguments: the command line of an agent's program. */

#include "agents/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPT_DUMP = 1, OPT_CONFIG, OPT_CHECK, OPT_HELP, OPT_VERSION };

/* The first is not for all. */
static const struct option options[] = {
	{"dump", required_argument, NULL, OPT_DUMP},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"check-config", no_argument, NULL, OPT_CHECK},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static void
print_help(FILE *out, const struct arguments_kind *kind)
{
	struct arena *arena = arena_new();

	fputs(kind->usage, out);
	fputs("\nConfiguration:\n", out);
	conf_help(out, kind->table(arena));
	arena_free(arena);
}

static int64_t
parse_seconds(const char *text)
{
	char *end;
	long seconds = strtol(text, &end, 10);

	if (end == text || *end != '\0' || seconds < 1 || seconds > 1000000) {
		fprintf(stderr, "--dump %s: must be 1 to 1000000\n", text);
		exit(EXIT_FAILURE);
	}
	return seconds;
}

void
arguments_parse(int argc, char **argv, const struct arguments_kind *kind,
	struct arguments *arguments)
{
	const struct option *known = kind->dumps ? options : options + 1;
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (option) {
		case OPT_DUMP:
			arguments->dump_s = parse_seconds(optarg);
			break;
		case OPT_CONFIG:
			arguments->config = optarg;
			break;
		case OPT_CHECK:
			arguments->check = true;
			break;
		case OPT_HELP:
			print_help(stdout, kind);
			exit(EXIT_SUCCESS);
		case OPT_VERSION:
			printf("%s " FG_VERSION "\n", kind->program);
			exit(EXIT_SUCCESS);
		default:
			print_help(stderr, kind);
			exit(EXIT_FAILURE);
		}
	if (optind < argc) {
		fprintf(stderr, "%s: unknown argument\n", argv[optind]);
		exit(EXIT_FAILURE);
	}
}
