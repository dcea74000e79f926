/* ldap: one connection to a directory, secured, with bounded times. */

#define _GNU_SOURCE /* memfd_create */

#include "lib/ldap_parts.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/ldap_watch.h"

#define MESSAGE_BYTES ((ber_len_t)16 * 1024 * 1024)
#define SYSTEM_CA     "/etc/ssl/certs/ca-certificates.crt"

/* --- what went wrong -------------------------------------------------- */

/* What the server said goes into a log: one line of printable letters. */
static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

enum rc
ldap_link_fail(struct ldap_link *link, enum rc rc, const char *doing, int code,
	struct fault *fault)
{
	char *words = NULL;
	bool said = false;

	if (link->handle != NULL)
		ldap_get_option(
			link->handle, LDAP_OPT_DIAGNOSTIC_MESSAGE, &words);
	if (words != NULL)
		make_printable(words);
	said = words != NULL && words[0] != '\0';
	fault_set(fault, rc, "%s: %s (%d)%s%s", doing, ldap_err2string(code),
		code, said ? ": " : "", said ? words : "");
	ldap_memfree(words);
	return rc;
}

/* --- watching the socket ---------------------------------------------- */

void
ldap_link_watch(struct ldap_link *link, int64_t steps)
{
	/* Later than libldap's own limits, which say more. */
	ldap_watch_begin(link->socket,
		(steps * link->timeout_ms + link->timeout_ms / 4 + 250) * 1000);
}

static int
note_connection(LDAP *handle, Sockbuf *sockbuf, LDAPURLDesc *url,
	struct sockaddr *address, struct ldap_conncb *callbacks)
{
	struct ldap_link *link = callbacks->lc_arg;
	ber_len_t bytes_max = MESSAGE_BYTES;

	(void)handle;
	(void)url;
	(void)address;
	ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_GET_FD, &link->socket);
	ber_sockbuf_ctrl(sockbuf, LBER_SB_OPT_SET_MAX_INCOMING, &bytes_max);
	ldap_watch_socket(link->socket);
	return LDAP_SUCCESS;
}

static void
note_end(LDAP *handle, Sockbuf *sockbuf, struct ldap_conncb *callbacks)
{
	struct ldap_link *link = callbacks->lc_arg;

	(void)handle;
	(void)sockbuf;
	link->socket = -1;
	ldap_watch_socket(-1);
}

/* --- connecting ------------------------------------------------------- */

/* Before the first call of libldap: it reads its files once. */
static void
prepare_process(void)
{
	setenv("LDAPNOINIT", "1", 1);
	signal(SIGPIPE, SIG_IGN);
}

static bool
set(LDAP *handle, int option, const void *value)
{
	return ldap_set_option(handle, option, value) == LDAP_OPT_SUCCESS;
}

static bool
set_limits(struct ldap_link *link)
{
	const struct timeval limit = {link->timeout_ms / 1000,
		(suseconds_t)(link->timeout_ms % 1000 * 1000)};
	const int version = LDAP_VERSION3;
	const int never = LDAP_DEREF_NEVER;
	LDAP *handle = link->handle;

	/* Only an asynchronous connect keeps to its time in a TLS handshake. */
	return set(handle, LDAP_OPT_PROTOCOL_VERSION, &version) &&
	       set(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) &&
	       set(handle, LDAP_OPT_RESTART, LDAP_OPT_ON) &&
	       set(handle, LDAP_OPT_DEREF, &never) &&
	       set(handle, LDAP_OPT_NETWORK_TIMEOUT, &limit) &&
	       set(handle, LDAP_OPT_TIMEOUT, &limit) &&
	       set(handle, LDAP_OPT_CONNECT_ASYNC, LDAP_OPT_ON) &&
	       set(handle, LDAP_OPT_CONNECT_CB, &link->callbacks);
}

/* The authorities as a file for libldap, which takes only that; -1 = none
 * could be made. */
static int
file_of(const char *pem)
{
	size_t left = strlen(pem);
	int file = memfd_create("directory-ca", MFD_CLOEXEC);

	while (file >= 0 && left > 0) {
		ssize_t written = write(file, pem, left);

		if (written <= 0) {
			close(file);
			return -1;
		}
		pem += written;
		left -= (size_t)written;
	}
	return file;
}

/* The context is made last: it takes over what was set before. */
static bool
set_security(struct ldap_link *link, const char *ca_path)
{
	const int hard = LDAP_OPT_X_TLS_HARD;
	const int oldest = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2;
	const int client = 0;
	LDAP *handle = link->handle;

	return set(handle, LDAP_OPT_X_TLS_REQUIRE_CERT, &hard) &&
	       set(handle, LDAP_OPT_X_TLS_CACERTFILE, ca_path) &&
	       set(handle, LDAP_OPT_X_TLS_PROTOCOL_MIN, &oldest) &&
	       set(handle, LDAP_OPT_X_TLS_NEWCTX, &client);
}

static enum rc
set_options(struct ldap_link *link, const struct ldap_server *server,
	struct fault *fault)
{
	char path[40] = SYSTEM_CA;
	int file = -1;
	bool good = set_limits(link);

	if (good && server->ca[0] != '\0') {
		file = file_of(server->ca);
		good = file >= 0;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	}
	if (!good)
		return fault_set(fault, RC_IO, "cannot set up libldap");
	good = set_security(link, path);
	if (file >= 0)
		close(file);
	return good ? RC_OK
		    : fault_set(fault, RC_UNAVAILABLE,
			      "the certificates of the authorities that may "
			      "have signed the server's cannot be read");
}

static int
secure_and_bind(struct ldap_link *link, const struct ldap_server *server,
	const char *dn, const char *password, const char **doing)
{
	struct berval credential = {strlen(password), (char *)password};
	int code = LDAP_SUCCESS;

	*doing = "StartTLS";
	if (server->security == LDAP_SECURITY_STARTTLS)
		code = ldap_start_tls_s(link->handle, NULL, NULL);
	if (code != LDAP_SUCCESS)
		return code;
	*doing = server->security == LDAP_SECURITY_LDAPS ? "TLS and bind"
							 : "bind";
	return ldap_sasl_bind_s(link->handle, dn, LDAP_SASL_SIMPLE, &credential,
		NULL, NULL, NULL);
}

/* Every way in which a server says no to a name and its password. */
static bool
is_refusal(int code)
{
	switch (code) {
	case LDAP_INVALID_CREDENTIALS:
	case LDAP_INAPPROPRIATE_AUTH:
	case LDAP_INSUFFICIENT_ACCESS:
	case LDAP_UNWILLING_TO_PERFORM:
	case LDAP_CONSTRAINT_VIOLATION:
	case LDAP_INVALID_DN_SYNTAX:
	case LDAP_NO_SUCH_OBJECT:
		return true;
	default:
		return false;
	}
}

static enum rc
connect_link(struct ldap_link *link, const struct ldap_server *server,
	const char *dn, const char *password, struct fault *fault)
{
	const char *doing = NULL;
	enum rc rc = RC_OK;
	int code;

	if (ldap_initialize(&link->handle, server->uri) != LDAP_SUCCESS)
		return fault_set(fault, RC_UNAVAILABLE,
			"%s: is no address of a directory", server->uri);
	rc = set_options(link, server, fault);
	if (rc != RC_OK)
		return rc;
	ldap_link_watch(link, 2);
	code = secure_and_bind(link, server, dn, password, &doing);
	ldap_watch_end();
	if (code == LDAP_SUCCESS)
		return RC_OK;
	return ldap_link_fail(link,
		is_refusal(code) ? RC_UNAUTHENTICATED : RC_UNAVAILABLE, doing,
		code, fault);
}

static void
free_link(void *object)
{
	struct ldap_link *link = object;

	ldap_link_close(link);
	free(link);
}

enum rc
ldap_link_open(struct arena *arena, const struct ldap_server *server,
	const char *dn, const char *password, struct ldap_link **result,
	struct fault *fault)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct ldap_link *link;
	enum rc rc;

	/* A server may take either for an anonymous bind, and say yes. */
	if (dn[0] == '\0' || password[0] == '\0')
		return fault_set(fault, RC_UNAUTHENTICATED,
			"no bind without a name and a password");
	pthread_once(&once, prepare_process);
	link = calloc(1, sizeof(*link));
	if (link == NULL)
		abort();
	link->socket = -1;
	link->timeout_ms = server->timeout_ms;
	link->callbacks.lc_add = note_connection;
	link->callbacks.lc_del = note_end;
	link->callbacks.lc_arg = link;
	arena_defer(arena, free_link, link);
	rc = connect_link(link, server, dn, password, fault);
	if (rc != RC_OK)
		ldap_link_close(link);
	else
		*result = link;
	return rc;
}

void
ldap_link_close(struct ldap_link *link)
{
	if (link->handle == NULL)
		return;
	ldap_link_watch(link, 1);
	ldap_unbind_ext_s(link->handle, NULL, NULL);
	ldap_watch_end();
	link->handle = NULL;
}
