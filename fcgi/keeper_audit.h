/*
 * keeper_audit: the keeper's thread that links and signs the audit.
 *
 * Apart from the other tasks, which may take minutes: a row is linked within a
 * second of its commit. Every "checkpoint_rows" rows, and "checkpoint_s" after
 * the first new row, a signed checkpoint goes to the file, to syslog and into
 * the table.
 */
#ifndef FG_FCGI_KEEPER_AUDIT_H
#define FG_FCGI_KEEPER_AUDIT_H

#include "fcgi/keeper.h"

struct keeper_audit;

/*
 * Connect and load the key. Fails: RC_IO the key file; RC_DB as db_open.
 * Owns:  freed by keeper_audit_close. "conf" and "stop" must outlive it.
 */
MUST_CHECK enum rc keeper_audit_open(const struct keeper_conf *conf,
	const volatile sig_atomic_t *stop, struct keeper_audit **audit,
	struct fault *fault);
void keeper_audit_close(struct keeper_audit *audit);

/* Link what there is and make the checkpoint that is due. */
MUST_CHECK enum rc keeper_audit_work(
	struct keeper_audit *audit, struct fault *fault);

/* Work in a thread until "stop" is set. Fails: RC_IO there is no thread. */
MUST_CHECK enum rc keeper_audit_start(
	struct keeper_audit *audit, struct fault *fault);
void keeper_audit_join(struct keeper_audit *audit);

#endif
