/*
 * accounts: people, clients and sessions for tests, on a scratch cluster, with
 * the connections that the services have: the same rights, and no more.
 */
#ifndef FG_TESTS_SQL_ACCOUNTS_H
#define FG_TESTS_SQL_ACCOUNTS_H

#include "lib/seal.h"
#include "model/client.h"
#include "model/grant.h"
#include "model/session.h"
#include "model/user.h"

struct grid {
	struct arena *arena;
	struct db *owner;
	struct db *identity;
	struct db *hub;
	struct db *keeper;
	struct fault fault;
};

extern struct grid grid;
extern const struct seal seal;

/* Start it; "own" are the statements of the test, or NULL. */
void accounts_start(const struct stmt *own);

/* With alice, the client "app", and keys that sign; for a set-up of cmocka. */
int accounts_set_up(void **state);
int accounts_tear_down(void **state);

/* Fails the test, with the words of "grid.fault". */
void good(enum rc rc);

/* Their password is "a long pass phrase". */
struct user make_user(const char *name, bool administrator);
struct client make_client(const char *id, const char **secret);

/* A login from here. */
const struct session_new *log_in_as(int64_t user_id);

/* What alice would allow "app", in a new session of hers. */
void make_grant(struct grant *grant, struct session *session);

#endif
