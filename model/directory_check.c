/* directory_check: may the settings of a directory be like this? */

#include <string.h>

#include "lib/ldap_filter.h"
#include "model/directory_parts.h"

#define NAME_BYTES      63
#define ATTRIBUTE_BYTES 64
#define FILTER_BYTES    1024
#define PASSWORD_BYTES  512

#define LETTERS  "abcdefghijklmnopqrstuvwxyz"
#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"

static const struct directory defaults[] = {
	{.name = "openldap",
		.user_filter = "(&(objectClass=inetOrgPerson)(uid={name}))",
		.id_attribute = "entryUUID",
		.name_attribute = "uid",
		.full_name_attribute = "cn",
		.group_mode = "search",
		.group_filter = "(&(objectClass=groupOfNames)(member={dn}))"},
	{.name = "active_directory",
		.user_filter = "(&(objectCategory=person)(objectClass=user)"
			       "(sAMAccountName={name}))",
		.id_attribute = "objectGUID",
		.name_attribute = "sAMAccountName",
		.full_name_attribute = "displayName",
		.group_mode = "token_groups",
		.group_filter = "(&(objectClass=group)"
				"(member:1.2.840.113556.1.4.1941:={dn}))"},
};

bool
directory_defaults(const char *kind, struct directory *directory)
{
	for (size_t i = 0; i < ARRAY_LENGTH(defaults); i++) {
		if (strcmp(defaults[i].name, kind) != 0)
			continue;
		*directory = defaults[i];
		directory->name = NULL;
		directory->state = "active";
		directory->mode = "starttls";
		directory->ca = "";
		directory->email_attribute = "mail";
		directory->group_base = "";
		directory->timeout_ms = 3000;
		directory->sync_s = 900;
		directory->max_age_s = 86400;
		directory->sync_fault = "";
		return true;
	}
	return false;
}

static enum rc
refuse(struct fault *fault, const char *field, const char *words)
{
	return fault_tell(
		fault, RC_BAD_INPUT, "DirectorySetting", field, "%s", words);
}

static bool
is_one_of(const char *word, const char *const *words)
{
	for (; *words != NULL; words++)
		if (word != NULL && strcmp(word, *words) == 0)
			return true;
	return false;
}

static bool
is_short(const char *text, size_t bytes_max)
{
	return text != NULL && strnlen(text, bytes_max + 1) <= bytes_max;
}

static bool
is_name(const char *name)
{
	return is_short(name, NAME_BYTES) && name[0] != '\0' &&
	       strchr(LETTERS DIGITS, name[0]) != NULL &&
	       strspn(name, LETTERS DIGITS "._-") == strlen(name);
}

/* RFC 4512: a short name or an OID. */
static bool
is_attribute(const char *name)
{
	return is_short(name, ATTRIBUTE_BYTES) && name[0] != '\0' &&
	       strspn(name, LETTERS CAPITALS DIGITS ".-") == strlen(name);
}

static bool
is_dn(struct arena *arena, const char *dn)
{
	const char *normal = NULL;

	if (is_short(dn, LDAP_DN_BYTES))
		normal = ldap_dn_normal(arena, dn);
	return normal != NULL && normal[0] != '\0';
}

static enum rc
check_addresses(const struct directory *directory, struct fault *fault)
{
	static const char *const modes[] = {"starttls", "ldaps", NULL};
	enum rc rc = RC_OK;

	if (!is_one_of(directory->mode, modes))
		return refuse(fault, "mode",
			"The mode is starttls or ldaps; nothing goes in "
			"clear.");
	if (directory->uris.count < 1 ||
		directory->uris.count > DIRECTORY_URIS_MAX)
		return refuse(fault, "uris", "Give one to eight addresses.");
	for (size_t i = 0; i < directory->uris.count && rc == RC_OK; i++)
		rc = ldap_server_check(directory->uris.items[i],
			directory_server(directory, "").security, fault);
	return rc;
}

static enum rc
check_service(const struct directory *directory, struct fault *fault)
{
	if (!is_short(directory->ca, DIRECTORY_CA_BYTES) ||
		(directory->ca[0] != '\0' &&
			strstr(directory->ca, "-----BEGIN CERTIFICATE-----") ==
				NULL))
		return refuse(fault, "ca",
			"Give the authority's certificates as PEM text, or "
			"nothing for those of the system.");
	if (!is_short(directory->bind_dn, LDAP_DN_BYTES) ||
		directory->bind_dn[0] == '\0')
		return refuse(fault, "bindDn",
			"Name the service account that may search.");
	if (directory->bind_password != NULL &&
		(directory->bind_password[0] == '\0' ||
			!is_short(directory->bind_password, PASSWORD_BYTES)))
		return refuse(fault, "bindPassword",
			"The service account's password is empty or too long.");
	return RC_OK;
}

static enum rc
check_users(struct arena *arena, const struct directory *directory,
	struct fault *fault)
{
	if (!is_dn(arena, directory->base))
		return refuse(fault, "base",
			"Give the DN below which people are, such as "
			"dc=example,dc=com.");
	if (!is_short(directory->user_filter, FILTER_BYTES) ||
		!ldap_filter_good(directory->user_filter, "name"))
		return refuse(fault, "userFilter",
			"Give one filter in parentheses with {name} in it, "
			"such as (uid={name}).");
	if (!is_attribute(directory->id_attribute))
		return refuse(fault, "idAttribute", "Name one attribute.");
	if (!is_attribute(directory->name_attribute))
		return refuse(fault, "nameAttribute", "Name one attribute.");
	if (!is_attribute(directory->full_name_attribute))
		return refuse(
			fault, "fullNameAttribute", "Name one attribute.");
	if (!is_attribute(directory->email_attribute))
		return refuse(fault, "emailAttribute", "Name one attribute.");
	return RC_OK;
}

static enum rc
check_groups(struct arena *arena, const struct directory *directory,
	struct fault *fault)
{
	static const char *const modes[] = {
		"none", "search", "matching_rule", "token_groups", NULL};

	if (!is_one_of(directory->group_mode, modes))
		return refuse(fault, "groupMode",
			"The mode is none, search, matching_rule or "
			"token_groups.");
	if (directory->group_base == NULL ||
		(directory->group_base[0] != '\0' &&
			!is_dn(arena, directory->group_base)))
		return refuse(fault, "groupBase",
			"Give the DN below which groups are, or nothing.");
	if (!is_short(directory->group_filter, FILTER_BYTES) ||
		(!ldap_filter_good(directory->group_filter, "dn") &&
			!ldap_filter_good(directory->group_filter, "name")))
		return refuse(fault, "groupFilter",
			"Give one filter in parentheses with {dn} or {name} "
			"in it, such as (member={dn}).");
	return RC_OK;
}

static enum rc
check_times(const struct directory *directory, struct fault *fault)
{
	if (directory->timeout_ms < 100 || directory->timeout_ms > 30000)
		return refuse(fault, "timeoutMs", "100 to 30000 milliseconds.");
	if (directory->sync_s < 10 || directory->sync_s > 86400)
		return refuse(fault, "syncSeconds", "10 to 86400 seconds.");
	if (directory->max_age_s < 60 || directory->max_age_s > 2592000)
		return refuse(fault, "maxAgeSeconds", "60 to 2592000 seconds.");
	if (directory->position < 0 || directory->position > 1000000)
		return refuse(fault, "position", "0 to 1000000.");
	return RC_OK;
}

enum rc
directory_check(struct arena *arena, const struct directory *directory,
	struct fault *fault)
{
	static const char *const states[] = {"active", "disabled", NULL};
	enum rc rc;

	if (!is_name(directory->name))
		return refuse(fault, "name",
			"A directory's name has 1 to 63 letters a to z, "
			"digits, dots, dashes and underscores.");
	if (!is_one_of(directory->state, states))
		return refuse(
			fault, "state", "The state is active or disabled.");
	rc = check_addresses(directory, fault);
	if (rc == RC_OK)
		rc = check_service(directory, fault);
	if (rc == RC_OK)
		rc = check_users(arena, directory, fault);
	if (rc == RC_OK)
		rc = check_groups(arena, directory, fault);
	return rc == RC_OK ? check_times(directory, fault) : rc;
}
