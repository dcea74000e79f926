/* fuzz/ldap_filter: any bytes as a value in a search filter, as the template
 * of one, and as a DN. */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/ldap.h"
#include "lib/ldap_filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static uint8_t
digit(char letter)
{
	if (!isxdigit((unsigned char)letter) || isupper((unsigned char)letter))
		abort();
	return (uint8_t)(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

/* What is escaped holds no letter that means anything in a filter, and reads
 * back as the same bytes (RFC 4515, section 3). */
static void
check_escaped(const char *escaped, const uint8_t *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = (uint8_t)*escaped++;

		if (byte < 0x20 || byte >= 0x7f || strchr("*()", byte) != NULL)
			abort();
		if (byte == '\\') {
			byte = (uint8_t)(digit(escaped[0]) << 4 |
					 digit(escaped[1]));
			escaped += 2;
		}
		if (byte != data[i])
			abort();
	}
	if (*escaped != '\0')
		abort();
}

/* A value changes nothing of the filter around it. */
static void
check_filled(struct arena *arena, const char *escaped)
{
	const struct ldap_filter_part parts[] = {
		{"name", escaped}, {NULL, NULL}};
	const char *filter =
		ldap_filter_fill(arena, "(&(a=b)(uid={name}))", parts);

	if (filter == NULL) {
		if (strlen(escaped) < 1024)
			abort();
	} else if (!ldap_filter_good(filter, NULL) ||
		   strncmp(filter, "(&(a=b)(uid=", 12) != 0 ||
		   strcmp(filter + 12 + strlen(escaped), "))") != 0) {
		abort();
	}
}

/* Whatever an administrator writes is taken or refused, and a filter that is
 * taken stays one with any value. */
static void
check_template(struct arena *arena, const char *template)
{
	const struct ldap_filter_part parts[] = {
		{"name", "\\28\\2a\\29"}, {NULL, NULL}};
	const char *filter;

	if (!ldap_filter_good(template, "name"))
		return;
	filter = ldap_filter_fill(arena, template, parts);
	if (filter != NULL && !ldap_filter_good(filter, NULL))
		abort();
}

/* The normal form of a DN is its own normal form. */
static void
check_dn(struct arena *arena, const char *dn)
{
	const char *normal = ldap_dn_normal(arena, dn);
	const char *again;

	if (normal == NULL || strlen(normal) > LDAP_DN_BYTES)
		return;
	again = ldap_dn_normal(arena, normal);
	if (again == NULL || strcmp(again, normal) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct fault fault;
	const char *escaped;
	const char *text;

	if (arena == NULL)
		arena = arena_new();
	escaped = ldap_filter_escape(arena, data, length);
	check_escaped(escaped, data, length);
	check_filled(arena, escaped);
	text = arena_strndup(arena, (const char *)data, length);
	check_template(arena, text);
	check_dn(arena, text);
	(void)!ldap_server_check(text, LDAP_SECURITY_LDAPS, &fault);
	(void)!ldap_server_check(text, LDAP_SECURITY_STARTTLS, &fault);
	arena_reset(arena);
	return 0;
}
