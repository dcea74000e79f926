/* ldap_search: finding entries, page by page, and reading them. */

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "lib/ldap_parts.h"
#include "lib/ldap_watch.h"
#include "lib/utf8.h"

#define PAGE_ENTRIES 200

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

/* --- searching -------------------------------------------------------- */

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
	ldap_link_watch(link, 1);
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
	return ldap_link_fail(link, rc_of(code), doing, code, fault);
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

/* --- reading entries -------------------------------------------------- */

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
