/* keeper_directory: the keeper's thread that asks directories about their
 * people. */

#include "fcgi/keeper_directory.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "lib/log.h"
#include "model/audit.h"
#include "model/directory_sync.h"
#include "model/user_link.h"

struct keeper_directory {
	const volatile sig_atomic_t *stop;
	struct arena *home;  /* of this struct */
	struct arena *arena; /* of one round */
	struct db *db;
	struct directory_gate gate;
	enum rc told;
	pthread_t thread;
};

static const struct stmt *const stmts[] = {audit_stmts, directory_stmts,
	directory_sync_stmts, user_link_stmts, user_stmts, NULL};

enum rc
keeper_directory_open(const struct keeper_conf *conf, const struct seal *seal,
	const volatile sig_atomic_t *stop, struct keeper_directory **made,
	struct fault *fault)
{
	struct arena *home = arena_new();
	struct keeper_directory *directory =
		arena_alloc(home, sizeof(*directory));
	enum rc rc = RC_OK;

	directory->home = home;
	directory->arena = arena_new();
	directory->stop = stop;
	directory->gate.seal = seal;
	directory->gate.slots.file = -1; /* one thread: one at a time */
	if (seal != NULL)
		rc = db_open(&conf->database, "fieldgrid-keeper directories",
			stmts, &directory->db, fault);
	if (rc == RC_OK)
		*made = directory;
	else
		keeper_directory_close(directory);
	return rc;
}

void
keeper_directory_close(struct keeper_directory *directory)
{
	if (directory->db != NULL)
		db_close(directory->db);
	arena_free(directory->arena);
	arena_free(directory->home);
}

enum rc
keeper_directory_work(struct keeper_directory *directory, struct fault *fault)
{
	struct directory_counts counts = {.more = directory->db != NULL};
	enum rc rc = RC_OK;

	while (rc == RC_OK && counts.more && !*directory->stop) {
		rc = directory_sync(directory->db, directory->arena,
			&directory->gate, &counts, fault);
		arena_reset(directory->arena);
		if (counts.lost > 0)
			log_info(NULL,
				"directories: asked about %lld people, %lld "
				"are gone",
				(long long)counts.asked,
				(long long)counts.lost);
	}
	return rc;
}

/* One line when it goes wrong and one when it is well again. */
static void
tell(struct keeper_directory *directory, enum rc rc, const struct fault *fault)
{
	if (rc == directory->told || rc == RC_RETRY)
		return;
	if (rc == RC_OK)
		log_info(NULL, "directories: asking again");
	else if (rc == RC_UNAVAILABLE)
		log_warn(NULL, "directories: the database is out of reach: %s",
			fault->text);
	else
		log_error(NULL, "directories: %s", fault->text);
	directory->told = rc;
}

static void *
work(void *context)
{
	const struct timespec pause = {1, 0};
	struct keeper_directory *directory = context;

	while (!*directory->stop) {
		struct fault fault = {0};

		tell(directory, keeper_directory_work(directory, &fault),
			&fault);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

enum rc
keeper_directory_start(struct keeper_directory *directory, struct fault *fault)
{
	int error = pthread_create(&directory->thread, NULL, work, directory);

	return error == 0 ? RC_OK
			  : fault_set(fault, RC_IO,
				    "no thread for directories: %s",
				    strerror(error));
}

void
keeper_directory_join(struct keeper_directory *directory)
{
	pthread_join(directory->thread, NULL);
}
