/*
 * ldap: one connection to a directory, secured, with bounded times.
 *
 * Only lib/ldap*.c know libldap. A connection is StartTLS or LDAPS with a
 * checked certificate, TLS 1.2 or newer, or there is none: nothing is ever
 * sent in clear. Referrals are not followed. Files and variables that would
 * change libldap's ways (ldaprc, LDAPTLS_…) are not read. SIGPIPE is ignored
 * from the first call on. One connection belongs to one thread.
 */
#ifndef FG_LIB_LDAP_H
#define FG_LIB_LDAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

#define LDAP_URI_BYTES 256
#define LDAP_DN_BYTES  1024

enum ldap_security { LDAP_SECURITY_STARTTLS, LDAP_SECURITY_LDAPS };

struct ldap_server {
	const char *uri; /* ldap://HOST[:PORT] or ldaps://HOST[:PORT] */
	enum ldap_security security;
	const char *ca;     /* PEM text; "" = the authorities of the system */
	int64_t timeout_ms; /* of each step */
};

/*
 * May this be a server's address? Fails: RC_BAD_INPUT, with words for the
 * administrator: the scheme must be that of "security"; nothing behind the
 * port; not "localhost", whose certificate libldap compares with the name of
 * this machine.
 */
MUST_CHECK enum rc ldap_server_check(
	const char *uri, enum ldap_security security, struct fault *fault);

struct ldap_link;

/*
 * Connect, secure, and bind by name and password (simple bind).
 * Owns:   "link" is closed by ldap_link_close, or with "arena".
 * Fails:  RC_UNAUTHENTICATED the server refused name or password, or either
 *         is empty, which no server is asked about; RC_UNAVAILABLE no answer
 *         in time, no connection, no TLS, a certificate that is not trusted
 *         or of another name. "fault" has the server's words, for the log.
 * Blocks: at most 3 * timeout_ms + 1 s.
 */
MUST_CHECK enum rc ldap_link_open(struct arena *arena,
	const struct ldap_server *server, const char *dn, const char *password,
	struct ldap_link **link, struct fault *fault);
void ldap_link_close(struct ldap_link *link);

struct ldap_value {
	const void *data; /* a zero byte is behind it */
	size_t length;
};

struct ldap_attribute {
	const char *name;
	size_t count;
	const struct ldap_value *values;
};

struct ldap_entry {
	const char *dn;
	size_t count;
	const struct ldap_attribute *attributes;
};

enum ldap_scope { LDAP_SCOPE_ENTRY, LDAP_SCOPE_TREE };

struct ldap_search {
	const char *base;
	enum ldap_scope scope;
	const char *filter;
	const char *const *attributes; /* NULL-terminated; empty = none */
	size_t limit;                  /* entries; more is a failure */
};

struct ldap_entries {
	size_t count;
	struct ldap_entry *items;
};

/*
 * All entries that match, fetched in pages (RFC 2696).
 * Owns:   the entries live in "arena".
 * Fails:  RC_TOO_LARGE more than the limit; RC_NOT_FOUND there is no such
 *         base; RC_UPSTREAM the server refuses, or refers to another one;
 *         RC_UNAVAILABLE no answer in time.
 * Blocks: at most timeout_ms for each page.
 */
MUST_CHECK enum rc ldap_link_search(struct ldap_link *link, struct arena *arena,
	const struct ldap_search *search, struct ldap_entries *entries,
	struct fault *fault);

/* The attribute, its name in any case; NULL when the entry has none. */
const struct ldap_attribute *ldap_entry_attribute(
	const struct ldap_entry *entry, const char *name);
/* Its first value when that is text (UTF-8 without control letters). */
const char *ldap_entry_text(const struct ldap_entry *entry, const char *name);

/*
 * A DN in the one form in which equal ones are equal texts: RFC 4514, lower
 * case, no spaces between its parts. NULL when it is no DN.
 */
const char *ldap_dn_normal(struct arena *arena, const char *dn);

#endif
