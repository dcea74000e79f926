/* cluster: a private PostgreSQL for one test program (tests/support). */
#ifndef FG_TESTS_SQL_CLUSTER_H
#define FG_TESTS_SQL_CLUSTER_H

#include "lib/db.h"

/*
 * Start a server with the schema; ends the program with 77, "skipped", when
 * there is none to start. It is stopped and removed at exit.
 */
void cluster_start(void);

/* The folder of its socket. */
const char *cluster_folder(void);

/* SIGKILL the server, and start it again. */
void cluster_kill(void);
void cluster_up(void);

/* A connection to database "fieldgrid" as "user"; fails the test if not. */
struct db *cluster_open(const char *user, const struct stmt *const *sets);

#endif
