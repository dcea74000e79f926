/* slapd: a private directory for one test program. */

#include "tests/sql/slapd.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int
run_script(const char *arguments, char *line, size_t bytes)
{
	const char *source = getenv("srcdir") != NULL ? getenv("srcdir") : ".";
	char command[1024];
	FILE *script;
	int status;

	snprintf(command, sizeof(command), "%s/tests/support/slapd.sh %s",
		source, arguments);
	script = popen(command, "r");
	if (script == NULL)
		return -1;
	if (fgets(line, (int)bytes, script) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	status = pclose(script);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char *
read_file(const char *folder, const char *name)
{
	char path[512];
	char *text = calloc(1, 16384);
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (text == NULL || file == NULL)
		abort();
	(void)!fread(text, 1, 16383, file);
	fclose(file);
	return text;
}

bool
slapd_start(struct slapd *slapd, const char *kind)
{
	char arguments[32];
	char *ports;

	snprintf(arguments, sizeof(arguments), "start %s", kind);
	if (run_script(arguments, slapd->folder, sizeof(slapd->folder)) != 0)
		return false;
	ports = read_file(slapd->folder, "ports");
	slapd->ldap = (int)strtol(ports, NULL, 10);
	slapd->ldaps = (int)strtol(strchr(ports, ' '), NULL, 10);
	free(ports);
	slapd->ca = read_file(slapd->folder, "ca.pem");
	slapd->other_ca = read_file(slapd->folder, "other.pem");
	return true;
}

void
slapd_stop(struct slapd *slapd)
{
	char arguments[512];
	char line[256];

	snprintf(arguments, sizeof(arguments), "stop %s", slapd->folder);
	if (run_script(arguments, line, sizeof(line)) != 0)
		fprintf(stderr, "slapd.sh %s failed\n", arguments);
	free(slapd->ca);
	free(slapd->other_ca);
}

/* The kernel takes the connections; nobody ever accepts them. */
int
silence_start(void)
{
	struct sockaddr_in here = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(here);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (server < 0 || bind(server, (struct sockaddr *)&here, length) != 0 ||
		listen(server, 8) != 0 ||
		getsockname(server, (struct sockaddr *)&here, &length) != 0)
		abort();
	return ntohs(here.sin_port);
}
