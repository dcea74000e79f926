/*
 * ldap_filter: search filters (RFC 4515) with values that nobody trusts.
 */
#ifndef FG_LIB_LDAP_FILTER_H
#define FG_LIB_LDAP_FILTER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/arena.h"

/*
 * A value for a filter: "\ * ( )", zero, and every byte that is not printable
 * ASCII become \xx (RFC 4515 section 3), so that it can only ever be a value.
 */
char *ldap_filter_escape(struct arena *arena, const void *value, size_t bytes);

/* What takes the place of {name} in a filter. */
struct ldap_filter_part {
	const char *name;
	const char *value; /* escaped; NULL = the place may not be used */
};

/*
 * The filter "template" with its places filled; "parts" ends with a NULL name.
 * NULL when it has a place that is unknown or whose value is NULL.
 */
char *ldap_filter_fill(struct arena *arena, const char *template,
	const struct ldap_filter_part *parts);

/* Is it one filter in parentheses, with the place {name} in it, or any when
 * "name" is NULL? What is inside is the server's to judge. */
bool ldap_filter_good(const char *template, const char *name);

#endif
