/*
 * keeper_directory: the keeper's thread that asks directories about their
 * people.
 *
 * Apart from the other tasks: a directory that has fallen silent holds up none
 * of them, and packing does not hold up the end of somebody's sessions.
 */
#ifndef FG_FCGI_KEEPER_DIRECTORY_H
#define FG_FCGI_KEEPER_DIRECTORY_H

#include "fcgi/keeper.h"

struct keeper_directory;

/*
 * Connect; "seal" opens the passwords of service accounts, without it (NULL)
 * there is nothing to do. Fails: as db_open.
 * Owns:  freed by keeper_directory_close. All arguments must outlive it.
 */
MUST_CHECK enum rc keeper_directory_open(const struct keeper_conf *conf,
	const struct seal *seal, const volatile sig_atomic_t *stop,
	struct keeper_directory **made, struct fault *fault);
void keeper_directory_close(struct keeper_directory *directory);

/* Ask about everybody who is due. */
MUST_CHECK enum rc keeper_directory_work(
	struct keeper_directory *directory, struct fault *fault);

/* Work in a thread until "stop" is set. Fails: RC_IO there is no thread. */
MUST_CHECK enum rc keeper_directory_start(
	struct keeper_directory *directory, struct fault *fault);
void keeper_directory_join(struct keeper_directory *directory);

#endif
