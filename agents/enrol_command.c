/* enrol_command: the words behind "fieldgrid-… enrol". */

#include "agents/enrol.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEFAULT_PORT ":9443"
#define EXIT_USAGE   2

static void
print_usage(FILE *out, const struct enrol_kind *kind)
{
	fprintf(out,
		"usage: fieldgrid-%s enrol https://HOST[:PORT] --token TOKEN\n"
		"                         [--folder DIR] [--force] [--wait "
		"SECONDS]\n"
		"\n"
		"Makes this machine a node of the grid at HOST: fetches its "
		"certificate and\n"
		"access data and writes the configuration. Cut off, the same "
		"again goes on.\n"
		"  --token TOKEN   from an administrator; good for a day and "
		"one machine\n"
		"  --folder DIR    where to, default %s/NAME\n"
		"  --force         take the place of a node that is there "
		"already\n"
		"  --wait SECONDS  for an administrator's consent, default a "
		"day\n",
		kind->kind, kind->folder);
}

/* https://HOST[:PORT], with the port of a grid when there is none. */
static const char *
read_url(struct arena *arena, const char *text)
{
	const char *host = text + strlen("https://");
	size_t length = strlen(text);
	const char *end;

	if (strncasecmp(text, "https://", strlen("https://")) != 0 ||
		*host == '\0')
		return NULL;
	while (length > 0 && text[length - 1] == '/')
		length--;
	text = arena_strndup(arena, text, length);
	host = text + strlen("https://");
	if (strpbrk(host, "/?#@ ") != NULL)
		return NULL;
	end = strchr(host, ']'); /* of an IPv6 address */
	return strchr(end != NULL ? end : host, ':') != NULL
		       ? text
		       : arena_printf(arena, "%s" DEFAULT_PORT, text);
}

static bool
read_arguments(int argc, char **argv, struct enrol *enrol)
{
	enum { OPT_TOKEN = 1, OPT_FOLDER, OPT_FORCE, OPT_WAIT };
	static const struct option options[] = {
		{"token", required_argument, NULL, OPT_TOKEN},
		{"folder", required_argument, NULL, OPT_FOLDER},
		{"force", no_argument, NULL, OPT_FORCE},
		{"wait", required_argument, NULL, OPT_WAIT},
		{NULL, 0, NULL, 0},
	};
	const char *token = NULL;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (option == OPT_TOKEN)
			token = optarg;
		else if (option == OPT_FOLDER)
			enrol->folder = optarg;
		else if (option == OPT_FORCE)
			enrol->force = true;
		else if (option == OPT_WAIT)
			enrol->wait_s = strtol(optarg, NULL, 10);
		else
			return false;
	if (argc - optind != 1 || token == NULL)
		return false;
	enrol->url = read_url(enrol->arena, argv[optind]);
	if (enrol->url == NULL) {
		fprintf(stderr, "\"%s\" is not https://HOST[:PORT]\n",
			argv[optind]);
		return false;
	}
	if (enrolment_code_read(
		    enrol->arena, token, &enrol->code, &enrol->fault) == RC_OK)
		return true;
	fprintf(stderr, "--token: %s\n", enrol->fault.text);
	return false;
}

static const char *
words_of(const struct fault *fault)
{
	return fault->client[0] != '\0' ? fault->client : fault->text;
}

int
enrol_main(const struct enrol_kind *kind, int argc, char **argv)
{
	struct enrol enrol = {
		.arena = arena_new(), .kind = kind, .wait_s = 86400};
	int code = EXIT_SUCCESS;

	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		print_usage(stdout, kind);
	} else if (!read_arguments(argc, argv, &enrol)) {
		print_usage(stderr, kind);
		code = EXIT_USAGE;
	} else if (enrol_run(&enrol) != RC_OK) {
		fprintf(stderr, "fieldgrid-%s: %s\n", kind->kind,
			words_of(&enrol.fault));
		code = EXIT_FAILURE;
	}
	enrol_close(&enrol);
	arena_free(enrol.arena);
	return code;
}
