/* ldap: one connection to a directory, secured, with bounded times. */

#define _GNU_SOURCE /* memfd_create */

#include "lib/ldap.h"

#include <ctype.h>
#include <errno.h>
#include <ldap.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/ldap_watch.h"
#include "lib/utf8.h"

#define PAGE_ENTRIES  200
#define MESSAGE_BYTES ((ber_len_t)16 * 1024 * 1024)
#define SYSTEM_CA     "/etc/ssl/certs/ca-certificates.crt"

struct ldap_link {
	LDAP *handle;
	struct ldap_conncb callbacks;
	int socket; /* -1 = not connected */
	int64_t timeout_ms;
};

/* --- what went wrong -------------------------------------------------------
 */

static enum rc
rc_of(int code)
{
	switch (code) {
	case LDAP_SUCCESS:
		return RC_OK;
	case LDAP_NO_SUCH_OBJECT:
		return RC_NOT_FOUND;
	case LDAP_SIZELIMIT_EXCEEDED:
	case LDAP_ADMINLIMIT_EXCEEDED:
		return RC_TOO_LARGE;
	case LDAP_BUSY:
	case LDAP_UNAVAILABLE:
	case LDAP_TIMELIMIT_EXCEEDED:
		return RC_UNAVAILABLE;
	default:
		return code < 0 && code != LDAP_FILTER_ERROR ? RC_UNAVAILABLE
							     : RC_UPSTREAM;
	}
}

/* What the server said goes into a log: one line of printable letters. */
static void
make_printable(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static enum rc
fail(struct ldap_link *link, enum rc rc, const char *doing, int code,
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

/* --- watching the socket ----------------------------------------------------
 */

static void
watch_begin(struct ldap_link *link, int64_t steps)
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

/* --- connecting -------------------------------------------------------------
 */

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
	watch_begin(link, 2);
	code = secure_and_bind(link, server, dn, password, &doing);
	ldap_watch_end();
	if (code == LDAP_SUCCESS)
		return RC_OK;
	return fail(link,
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
	watch_begin(link, 1);
	ldap_unbind_ext_s(link->handle, NULL, NULL);
	ldap_watch_end();
	link->handle = NULL;
}

/* --- searching --------------------------------------------------------------
 */

static void
read_values(struct arena *arena, struct berval **values,
	struct ldap_attribute *attribute)
{
	size_t count = (size_t)ldap_count_values_len(values);
	struct ldap_value *copies =
		arena_array(arena, count + 1, sizeof(*copies));

	for (size_t i = 0; i < count; i++) {
		copies[i].data = arena_strndup(
			arena, values[i]->bv_val, values[i]->bv_len);
		copies[i].length = values[i]->bv_len;
	}
	attribute->count = count;
	attribute->values = copies;
}

/* The attributes of one entry; as many as were asked for at the most. */
static void
read_entry(LDAP *handle, LDAPMessage *message, struct arena *arena,
	size_t attributes_max, struct ldap_entry *entry)
{
	struct ldap_attribute *list =
		arena_array(arena, attributes_max + 1, sizeof(*list));
	char *dn = ldap_get_dn(handle, message);
	BerElement *position = NULL;
	char *name = ldap_first_attribute(handle, message, &position);

	entry->dn = arena_strdup(arena, dn != NULL ? dn : "");
	entry->attributes = list;
	entry->count = 0;
	ldap_memfree(dn);
	while (name != NULL) {
		struct berval **values =
			ldap_get_values_len(handle, message, name);

		if (entry->count < attributes_max && values != NULL) {
			list[entry->count].name = arena_strdup(arena, name);
			read_values(arena, values, &list[entry->count++]);
		}
		ldap_value_free_len(values);
		ldap_memfree(name);
		name = ldap_next_attribute(handle, message, position);
	}
	ber_free(position, 0);
}

static size_t
count_texts(const char *const *texts)
{
	size_t count = 0;

	while (texts[count] != NULL)
		count++;
	return count;
}

/* Add the entries of one page; false when there are more than the limit. */
static bool
take_page(struct ldap_link *link, struct arena *arena,
	const struct ldap_search *search, LDAPMessage *page,
	struct ldap_entries *entries)
{
	LDAP *handle = link->handle;
	size_t more = (size_t)ldap_count_entries(handle, page);
	size_t attributes = count_texts(search->attributes);
	struct ldap_entry *items;

	if (entries->count + more > search->limit)
		return false;
	items = arena_array(arena, entries->count + more + 1, sizeof(*items));
	if (entries->count > 0)
		memcpy(items, entries->items, entries->count * sizeof(*items));
	entries->items = items;
	for (LDAPMessage *message = ldap_first_entry(handle, page);
		message != NULL; message = ldap_next_entry(handle, message))
		read_entry(handle, message, arena, attributes,
			&entries->items[entries->count++]);
	return true;
}

/* The cookie of the next page; empty = this was the last. */
static int
read_cookie(LDAP *handle, LDAPMessage *page, struct berval *cookie)
{
	LDAPControl **controls = NULL;
	LDAPControl *control = NULL;
	ber_int_t estimate = 0;
	int code = LDAP_SUCCESS;
	int parsed = ldap_parse_result(
		handle, page, &code, NULL, NULL, NULL, &controls, 0);

	ber_memfree(cookie->bv_val);
	*cookie = (struct berval){0, NULL};
	if (parsed == LDAP_SUCCESS && controls != NULL)
		control = ldap_control_find(
			LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
	if (control != NULL)
		parsed = ldap_parse_pageresponse_control(
			handle, control, &estimate, cookie);
	ldap_controls_free(controls);
	return parsed != LDAP_SUCCESS ? parsed : code;
}

static int
ask(struct ldap_link *link, const struct ldap_search *search,
	struct berval *cookie, LDAPMessage **page)
{
	static char none[] = LDAP_NO_ATTRS;
	static char *no_attributes[] = {none, NULL};
	char **attributes = (char **)search->attributes;
	struct timeval limit = {link->timeout_ms / 1000,
		(suseconds_t)(link->timeout_ms % 1000 * 1000)};
	bool paged = search->limit >= PAGE_ENTRIES;
	LDAPControl *control = NULL;
	LDAPControl *controls[] = {NULL, NULL};
	int code = LDAP_SUCCESS;

	if (paged)
		code = ldap_create_page_control(
			link->handle, PAGE_ENTRIES, cookie, 0, &control);
	if (code != LDAP_SUCCESS)
		return code;
	controls[0] = control;
	watch_begin(link, 1);
	code = ldap_search_ext_s(link->handle, search->base,
		search->scope == LDAP_SCOPE_ENTRY ? LDAP_SCOPE_BASE
						  : LDAP_SCOPE_SUBTREE,
		search->filter,
		attributes[0] == NULL ? no_attributes : attributes, 0, controls,
		NULL, &limit, paged ? 0 : (int)search->limit + 1, page);
	ldap_watch_end();
	if (control != NULL)
		ldap_control_free(control);
	return code;
}

static enum rc
fail_search(struct ldap_link *link, const struct ldap_search *search, int code,
	struct fault *fault)
{
	char doing[LDAP_DN_BYTES];

	/* What was searched for may be a secret typed in a wrong place. */
	snprintf(doing, sizeof(doing), "search below %s", search->base);
	return fail(link, rc_of(code), doing, code, fault);
}

static enum rc
fail_limit(const struct ldap_search *search, struct fault *fault)
{
	return fault_set(fault, RC_TOO_LARGE,
		"more than %zu entries match below %s", search->limit,
		search->base);
}

static enum rc
search_page(struct ldap_link *link, struct arena *arena,
	const struct ldap_search *search, struct berval *cookie,
	struct ldap_entries *entries, struct fault *fault)
{
	LDAPMessage *page = NULL;
	enum rc rc = RC_OK;
	int code = ask(link, search, cookie, &page);

	if (code == LDAP_SIZELIMIT_EXCEEDED)
		rc = fail_limit(search, fault);
	else if (code != LDAP_SUCCESS)
		rc = fail_search(link, search, code, fault);
	else if (!take_page(link, arena, search, page, entries))
		rc = fail_limit(search, fault);
	else if ((code = read_cookie(link->handle, page, cookie)) !=
		 LDAP_SUCCESS)
		rc = fail_search(link, search, code, fault);
	ldap_msgfree(page);
	return rc;
}

enum rc
ldap_link_search(struct ldap_link *link, struct arena *arena,
	const struct ldap_search *search, struct ldap_entries *entries,
	struct fault *fault)
{
	struct berval cookie = {0, NULL};
	enum rc rc = RC_OK;

	entries->count = 0;
	entries->items = NULL;
	do
		rc = search_page(link, arena, search, &cookie, entries, fault);
	while (rc == RC_OK && cookie.bv_len > 0);
	ber_memfree(cookie.bv_val);
	return rc;
}

/* --- reading entries ---------------------------------------------------------
 */

const struct ldap_attribute *
ldap_entry_attribute(const struct ldap_entry *entry, const char *name)
{
	for (size_t i = 0; i < entry->count; i++)
		if (strcasecmp(entry->attributes[i].name, name) == 0)
			return &entry->attributes[i];
	return NULL;
}

const char *
ldap_entry_text(const struct ldap_entry *entry, const char *name)
{
	const struct ldap_attribute *attribute =
		ldap_entry_attribute(entry, name);
	const unsigned char *text;

	if (attribute == NULL || attribute->count == 0 ||
		!utf8_valid(
			attribute->values[0].data, attribute->values[0].length))
		return NULL;
	text = attribute->values[0].data;
	for (size_t i = 0; i < attribute->values[0].length; i++)
		if (text[i] < ' ' || text[i] == 0x7f)
			return NULL;
	return (const char *)text;
}

/* --- names -------------------------------------------------------------------
 */

static char *
rewrite_dn(struct arena *arena, const char *dn)
{
	LDAPDN parts = NULL;
	char *text = NULL;
	char *copy = NULL;

	if (ldap_str2dn(dn, &parts, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
		return NULL;
	if (parts != NULL && ldap_dn2str(parts, &text, LDAP_DN_FORMAT_LDAPV3) ==
				     LDAP_SUCCESS) {
		copy = arena_strdup(arena, text);
		for (char *letter = copy; *letter != '\0'; letter++)
			*letter = (char)tolower((unsigned char)*letter);
	}
	ldap_memfree(text);
	ldap_dnfree(parts);
	return copy;
}

const char *
ldap_dn_normal(struct arena *arena, const char *dn)
{
	const char *once;
	const char *twice = NULL;

	if (strnlen(dn, LDAP_DN_BYTES + 1) > LDAP_DN_BYTES)
		return NULL;
	once = rewrite_dn(arena, dn);
	if (once != NULL)
		twice = rewrite_dn(arena, once);
	/* libldap writes some odd ones ("cn=# ") as what it cannot read. */
	return twice != NULL && strcmp(once, twice) == 0 ? once : NULL;
}

static enum rc
refuse_uri(struct fault *fault, const char *why)
{
	return fault_tell(fault, RC_BAD_INPUT, "DirectoryAddress", "uris",
		"%s Write ldap://HOST:PORT for StartTLS, ldaps://HOST:PORT for "
		"LDAPS.",
		why);
}

static enum rc
check_url(const LDAPURLDesc *url, enum ldap_security security,
	struct fault *fault)
{
	const char *scheme = security == LDAP_SECURITY_LDAPS ? "ldaps" : "ldap";

	if (strcmp(url->lud_scheme, scheme) != 0)
		return refuse_uri(
			fault, "The address and the mode do not fit.");
	if (url->lud_host == NULL || url->lud_host[0] == '\0')
		return refuse_uri(fault, "The address names no host.");
	if (strcasecmp(url->lud_host, "localhost") == 0)
		return refuse_uri(fault,
			"Name this machine by 127.0.0.1 or its full name.");
	return RC_OK;
}

enum rc
ldap_server_check(
	const char *uri, enum ldap_security security, struct fault *fault)
{
	LDAPURLDesc *url = NULL;
	const char *rest;
	enum rc rc;

	/* A list of addresses would be taken as well. */
	if (strnlen(uri, LDAP_URI_BYTES + 1) > LDAP_URI_BYTES ||
		strpbrk(uri, " ,<>\t\r\n") != NULL ||
		ldap_url_parse(uri, &url) != LDAP_URL_SUCCESS)
		return refuse_uri(fault, "This is no address of a directory.");
	rest = strstr(uri, "://") + 3;
	rest += strcspn(rest, "/?");
	rc = check_url(url, security, fault);
	if (rc == RC_OK && rest[0] != '\0' && strcmp(rest, "/") != 0)
		rc = refuse_uri(fault, "Nothing may stand behind the port.");
	ldap_free_urldesc(url);
	return rc;
}
