/* slapd: a private directory for one test program (tests/support/slapd.sh). */
#ifndef FG_TESTS_SQL_SLAPD_H
#define FG_TESTS_SQL_SLAPD_H

#include <stdbool.h>

struct slapd {
	char folder[256];
	int ldap; /* ports on 127.0.0.1 and, with a wrong name, 127.0.0.2 */
	int ldaps;
	char *ca; /* PEM */
	char *other_ca;
};

/* "plain" or "ad"; false when there is no slapd to start. */
bool slapd_start(struct slapd *slapd, const char *kind);
void slapd_stop(struct slapd *slapd);

/* The port of a server that takes connections and says nothing, until the
 * program ends. */
int silence_start(void);

#endif
