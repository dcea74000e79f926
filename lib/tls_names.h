/*
 * tls_names: the names a client's certificate goes by (RFC 8705, 2.1.2).
 *
 * A client that logs in by certificate has registered exactly one name of one
 * kind. nginx has checked the chain before; here only the name is compared.
 */
#ifndef FG_LIB_TLS_NAMES_H
#define FG_LIB_TLS_NAMES_H

#include <stdbool.h>

#include "lib/arena.h"
#include "lib/fault.h"

/* The kinds, NULL-terminated: subject_dn (as RFC 4514 writes it), san_dns,
 * san_uri, san_ip, san_email. */
extern const char *const tls_names_kinds[];

/*
 * Does the certificate, as in nginx's $ssl_client_escaped_cert, have the name?
 * DNS names compare without regard to case, addresses as numbers.
 * Fails: RC_BAD_INPUT it is not one certificate.
 */
MUST_CHECK enum rc tls_names_match(struct arena *arena, const char *escaped,
	const char *kind, const char *name, bool *matches, struct fault *fault);

#endif
