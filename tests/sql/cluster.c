/* cluster: a private PostgreSQL for one test program. */

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sql/cluster.h"

static char folder[256];
static pid_t owner;

/* Run the script; its first line of output goes to "line". */
static int
run_script(const char *arguments, char *line, size_t bytes)
{
	const char *source = getenv("srcdir") != NULL ? getenv("srcdir") : ".";
	char command[1024];
	FILE *script;
	int status;

	snprintf(command, sizeof(command), "%s/tests/support/cluster.sh %s",
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

static void
run_on_folder(const char *verb)
{
	char arguments[512];
	char line[256];

	snprintf(arguments, sizeof(arguments), "%s %s", verb, folder);
	if (run_script(arguments, line, sizeof(line)) != 0)
		fprintf(stderr, "cluster.sh %s failed\n", arguments);
}

static void
stop(void)
{
	if (getpid() == owner)
		run_on_folder("stop");
}

void
cluster_start(void)
{
	int status = run_script("start", folder, sizeof(folder));

	if (status != 0 || folder[0] != '/') {
		fprintf(stderr, "no PostgreSQL to test with\n");
		exit(status == 77 ? 77 : 1);
	}
	owner = getpid();
	atexit(stop);
}

const char *
cluster_folder(void)
{
	return folder;
}

void
cluster_kill(void)
{
	run_on_folder("kill");
}

void
cluster_up(void)
{
	run_on_folder("up");
}

struct db *
cluster_open(const char *user, const struct stmt *const *sets)
{
	struct db_conf conf = {.host = folder,
		.port = 5432,
		.name = "fieldgrid",
		.user = user,
		.password_file = "",
		.sslmode = "disable",
		.statement_timeout_ms = 20000};
	struct db *db = NULL;
	struct fault fault = {0};

	if (db_open(&conf, "test", sets, &db, &fault) != RC_OK)
		fail_msg("%s", fault.text);
	return db;
}
