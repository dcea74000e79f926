/* ldap_parts: what the files of lib/ldap share; nobody else knows libldap. */
#ifndef FG_LIB_LDAP_PARTS_H
#define FG_LIB_LDAP_PARTS_H

#include <ldap.h>

#include "lib/ldap.h"

struct ldap_link {
	LDAP *handle;
	struct ldap_conncb callbacks;
	int socket; /* -1 = not connected */
	int64_t timeout_ms;
};

/* Note what failed in libldap's words and the server's; returns rc. */
enum rc ldap_link_fail(struct ldap_link *link, enum rc rc, const char *doing,
	int code, struct fault *fault);

/* Cut the connection when "steps" steps have taken longer than they may. */
void ldap_link_watch(struct ldap_link *link, int64_t steps);

#endif
