/* keeper_main: fieldgrid-keeper, which packs, merges, drops and prunes. */

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fcgi/keeper.h"
#include "fcgi/keeper_audit.h"
#include "fcgi/keeper_directory.h"
#include "fcgi/keeper_logout.h"
#include "fcgi/service.h"
#include "lib/log.h"

enum wish { WISH_SERVE, WISH_ONCE, WISH_PACK_NOW };

static volatile sig_atomic_t stop;

static void
end(int signal_number)
{
	(void)signal_number;
	stop = 1;
}

static void
set_signals(void)
{
	struct sigaction action = {.sa_handler = end}; /* no SA_RESTART */

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGQUIT, &action, NULL); /* what multiwatch may send */
	signal(SIGPIPE, SIG_IGN);
}

/* Take the options that only this program has out of the list. */
static enum wish
take_wish(int *argc, char **argv)
{
	enum wish wish = WISH_SERVE;
	int kept = 1;

	for (int i = 1; i < *argc; i++)
		if (strcmp(argv[i], "--once") == 0)
			wish = WISH_ONCE;
		else if (strcmp(argv[i], "--pack-now") == 0)
			wish = WISH_PACK_NOW;
		else
			argv[kept++] = argv[i];
	*argc = kept;
	argv[kept] = NULL;
	return wish;
}

static bool
asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0)
			return true;
	return false;
}

/* One line when the database goes away and one when it is back. */
static void
tell(enum rc rc, const struct fault *fault, enum rc *told)
{
	if (rc == *told)
		return;
	if (rc == RC_OK)
		log_info(NULL, "working again");
	else if (rc == RC_RETRY)
		return;
	else if (rc == RC_UNAVAILABLE)
		log_warn(NULL, "the database is out of reach: %s", fault->text);
	else
		log_error(NULL, "%s", fault->text);
	*told = rc;
}

/* What works beside the tasks, each in a thread of its own. */
struct helpers {
	struct keeper_audit *audit;
	struct keeper_directory *directory;
	struct keeper_logout *logout; /* NULL = not configured */
};

/* Without seal and issuer there is nothing to sign notices with. */
static enum rc
open_logout(const struct keeper *keeper, struct helpers *helpers,
	struct fault *fault)
{
	if (keeper->seal != NULL && keeper->conf.issuer[0] != '\0')
		return keeper_logout_open(keeper, &helpers->logout, fault);
	log_warn(NULL, "[keys] seal_file or [identity] issuer is not set: "
		       "clients hear of no log-outs");
	return RC_OK;
}

static enum rc
helpers_open(const struct keeper *keeper, struct helpers *helpers,
	struct fault *fault)
{
	enum rc rc =
		keeper_audit_open(&keeper->conf, &stop, &helpers->audit, fault);

	if (rc == RC_OK)
		rc = keeper_directory_open(&keeper->conf, keeper->seal, &stop,
			&helpers->directory, fault);
	if (rc == RC_OK)
		rc = open_logout(keeper, helpers, fault);
	return rc;
}

static enum rc
helpers_start(const struct helpers *helpers, struct fault *fault)
{
	enum rc rc = keeper_audit_start(helpers->audit, fault);

	if (rc != RC_OK)
		return rc;
	rc = keeper_directory_start(helpers->directory, fault);
	if (rc != RC_OK) {
		stop = 1;
		keeper_audit_join(helpers->audit);
	}
	if (rc != RC_OK || helpers->logout == NULL)
		return rc;
	rc = keeper_logout_start(helpers->logout, fault);
	if (rc != RC_OK) {
		stop = 1;
		keeper_directory_join(helpers->directory);
		keeper_audit_join(helpers->audit);
	}
	return rc;
}

static void
helpers_join(const struct helpers *helpers)
{
	if (helpers->logout != NULL)
		keeper_logout_join(helpers->logout);
	keeper_directory_join(helpers->directory);
	keeper_audit_join(helpers->audit);
}

static void
helpers_close(const struct helpers *helpers)
{
	keeper_logout_close(helpers->logout);
	keeper_directory_close(helpers->directory);
	keeper_audit_close(helpers->audit);
}

static int
serve(struct keeper *keeper, const struct helpers *helpers)
{
	const struct timespec second = {1, 0};
	struct fault none;
	enum rc told = RC_OK;

	if (helpers_start(helpers, &none) != RC_OK) {
		log_error(NULL, "%s", none.text);
		return EXIT_FAILURE;
	}
	log_info(NULL, "started");
	while (!stop) {
		struct fault fault = {0};

		tell(keeper_work(keeper, &fault), &fault, &told);
		arena_reset(keeper->arena);
		if (!stop)
			nanosleep(&second, NULL);
	}
	helpers_join(helpers);
	log_info(NULL, "stopped");
	return EXIT_SUCCESS;
}

static int
work_once(struct keeper *keeper, const struct helpers *helpers, enum wish wish)
{
	struct fault fault;
	enum rc rc = wish == WISH_ONCE ? keeper_work(keeper, &fault)
				       : keeper_pack_now(keeper, &fault);

	if (rc == RC_OK && wish == WISH_ONCE)
		rc = keeper_directory_work(helpers->directory, &fault);
	if (rc == RC_OK && wish == WISH_ONCE)
		rc = keeper_audit_work(helpers->audit, &fault);
	if (rc == RC_OK && wish == WISH_ONCE && helpers->logout != NULL)
		rc = keeper_logout_work(helpers->logout, &fault);
	if (rc == RC_OK)
		return EXIT_SUCCESS;
	log_error(NULL, "%s", fault.text);
	return EXIT_FAILURE;
}

static enum rc
load_seal(struct keeper *keeper, struct seal *seal, struct fault *fault)
{
	enum rc rc;

	if (keeper->conf.seal_file[0] == '\0') {
		log_warn(NULL,
			"[keys] seal_file is not set: token keys are not "
			"rotated");
		return RC_OK;
	}
	rc = seal_load(keeper->arena, keeper->conf.seal_file, seal, fault);
	if (rc == RC_OK)
		keeper->seal = seal;
	return rc;
}

static int
run(struct keeper *keeper, enum wish wish)
{
	struct helpers helpers = {NULL, NULL, NULL};
	struct seal seal;
	struct fault fault;
	int exit_code = EXIT_FAILURE;
	enum rc rc = load_seal(keeper, &seal, &fault);

	if (rc == RC_OK)
		rc = db_open(&keeper->conf.database, "fieldgrid-keeper",
			keeper_stmts, &keeper->db, &fault);
	if (rc == RC_OK)
		rc = helpers_open(keeper, &helpers, &fault);
	if (rc == RC_OK) {
		set_signals();
		exit_code = wish == WISH_SERVE
				    ? serve(keeper, &helpers)
				    : work_once(keeper, &helpers, wish);
		helpers_close(&helpers);
		db_close(keeper->db);
	} else {
		log_error(NULL, "%s", fault.text);
	}
	keeper->seal = NULL;
	sodium_memzero(&seal, sizeof(seal));
	return exit_code;
}

int
main(int argc, char **argv)
{
	static struct keeper keeper;
	struct arena *arena = arena_new();
	enum wish wish = take_wish(&argc, argv);
	struct service_start begun =
		service_begin(argc, argv, "fieldgrid-keeper",
			keeper_conf_entries, NULL, arena, &keeper.conf);
	int exit_code = begun.exit_code;

	if (begun.next == SERVICE_EXIT) {
		if (asks_for_help(argc, argv))
			puts("\n  --once           do what is due and end\n"
			     "  --pack-now       pack all frames, merge chunks "
			     "and end");
	} else {
		keeper.arena = arena_new();
		keeper.stop = &stop;
		exit_code = run(&keeper, wish);
		arena_free(keeper.arena);
	}
	arena_free(arena);
	return exit_code;
}
