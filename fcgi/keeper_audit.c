/* keeper_audit: the keeper's thread that links and signs the audit. */

#include "fcgi/keeper_audit.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/syslog.h"
#include "model/audit_checkpoint.h"

#define PAUSE_NS 250000000L

struct keeper_audit {
	const struct keeper_conf *conf;
	const volatile sig_atomic_t *stop;
	struct arena *home;  /* of this struct */
	struct arena *arena; /* of one round */
	struct db *db;
	struct audit_signer signer;
	int64_t look_us; /* when to see next whether a checkpoint is due */
	enum rc told;
	pthread_t thread;
};

static const struct stmt *const stmts[] = {
	audit_chain_stmts, audit_checkpoint_stmts, NULL};

static enum rc
load_key(struct keeper_audit *audit, struct fault *fault)
{
	const char *path = audit->conf->audit_key_file;

	if (path[0] != '\0')
		return audit_signer_load(
			audit->arena, path, &audit->signer, fault);
	log_warn(NULL, "[audit] key_file is not set: no checkpoints are made");
	return RC_OK;
}

enum rc
keeper_audit_open(const struct keeper_conf *conf,
	const volatile sig_atomic_t *stop, struct keeper_audit **made,
	struct fault *fault)
{
	struct arena *home = arena_new();
	struct keeper_audit *audit = arena_alloc(home, sizeof(*audit));
	enum rc rc;

	audit->home = home;
	audit->arena = arena_new();
	audit->conf = conf;
	audit->stop = stop;
	rc = load_key(audit, fault);
	if (rc == RC_OK)
		rc = db_open(&conf->database, "fieldgrid-keeper audit", stmts,
			&audit->db, fault);
	if (rc == RC_OK)
		*made = audit;
	else
		keeper_audit_close(audit);
	return rc;
}

void
keeper_audit_close(struct keeper_audit *audit)
{
	db_close(audit->db);
	arena_free(audit->arena);
	sodium_memzero(&audit->signer, sizeof(audit->signer));
	arena_free(audit->home);
}

/* --- checkpoints ------------------------------------------------------- */

static bool
is_due(const struct keeper_audit *audit, const struct audit_tip *tip,
	const struct audit_checkpoint *last)
{
	int64_t rows = tip->position - last->position;

	if (audit->signer.key_id[0] == '\0' || rows <= 0)
		return false;
	return last->position == 0 ||
	       rows >= audit->conf->audit_checkpoint_rows ||
	       clock_now_us() - last->made_us >=
		       audit->conf->audit_checkpoint_s * CLOCK_SECOND_US;
}

/* Copies first: what is only in the table can be taken away with the rows. */
static enum rc
publish(struct keeper_audit *audit, const struct audit_checkpoint *checkpoint,
	struct fault *fault)
{
	const char *line = audit_checkpoint_line(audit->arena, checkpoint);
	const char *path = audit->conf->audit_checkpoint_file;
	enum rc rc = RC_OK;

	if (path[0] != '\0')
		rc = file_append(
			path, arena_printf(audit->arena, "%s\n", line), fault);
	if (rc != RC_OK)
		return rc;
	if (audit->conf->audit_syslog)
		syslog_send("fieldgrid-keeper", line);
	return audit_checkpoint_store(audit->db, checkpoint, fault);
}

static enum rc
make_checkpoint(struct keeper_audit *audit, struct fault *fault)
{
	struct audit_checkpoint last;
	struct audit_checkpoint fresh;
	struct audit_tip tip;
	enum rc rc = audit_chain_tip(audit->db, audit->arena, &tip, fault);

	if (rc == RC_OK)
		rc = audit_checkpoint_last(
			audit->db, audit->arena, &last, fault);
	if (rc != RC_OK || !is_due(audit, &tip, &last))
		return rc;
	audit_checkpoint_sign(&audit->signer, &tip, clock_now_us(), &fresh);
	return publish(audit, &fresh, fault);
}

/* --- rounds ------------------------------------------------------------ */

enum rc
keeper_audit_work(struct keeper_audit *audit, struct fault *fault)
{
	int64_t linked = AUDIT_CHAIN_BATCH;
	enum rc rc = RC_OK;

	while (rc == RC_OK && linked == AUDIT_CHAIN_BATCH && !*audit->stop) {
		rc = audit_chain_link(audit->db, audit->arena, &linked, fault);
		arena_reset(audit->arena);
	}
	if (rc != RC_OK || clock_steady_us() < audit->look_us)
		return rc;
	rc = make_checkpoint(audit, fault);
	arena_reset(audit->arena);
	if (rc == RC_OK)
		audit->look_us = clock_steady_us() + CLOCK_SECOND_US;
	return rc;
}

/* One line when it goes wrong and one when it is well again. */
static void
tell(struct keeper_audit *audit, enum rc rc, const struct fault *fault)
{
	if (rc == audit->told || rc == RC_RETRY)
		return;
	if (rc == RC_OK)
		log_info(NULL, "audit: linking again");
	else if (rc == RC_UNAVAILABLE)
		log_warn(NULL, "audit: the database is out of reach: %s",
			fault->text);
	else
		log_error(NULL, "audit: %s", fault->text);
	audit->told = rc;
}

static void *
work(void *context)
{
	const struct timespec pause = {0, PAUSE_NS};
	struct keeper_audit *audit = context;

	while (!*audit->stop) {
		struct fault fault = {0};

		tell(audit, keeper_audit_work(audit, &fault), &fault);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

enum rc
keeper_audit_start(struct keeper_audit *audit, struct fault *fault)
{
	int error = pthread_create(&audit->thread, NULL, work, audit);

	return error == 0
		       ? RC_OK
		       : fault_set(fault, RC_IO, "no thread for the audit: %s",
				 strerror(error));
}

void
keeper_audit_join(struct keeper_audit *audit)
{
	pthread_join(audit->thread, NULL);
}
