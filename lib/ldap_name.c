/* ldap_name: names of entries and addresses of servers. */

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/ldap_parts.h"

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
