/* directory_ask: connecting to a directory and finding people in it. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/ldap_filter.h"
#include "lib/log.h"
#include "model/directory_parts.h"

#define DOWN_US (10 * CLOCK_SECOND_US)

/* --- addresses
 * ---------------------------------------------------------------- */

static bool
is_down(const struct directory_gate *gate, const char *uri)
{
	int64_t now_us = clock_steady_us();

	for (size_t i = 0; i < DIRECTORY_DOWN_MAX; i++)
		if (gate->down[i].until_us > now_us &&
			strcmp(gate->down[i].uri, uri) == 0)
			return true;
	return false;
}

static void
note_down(struct directory_gate *gate, const char *uri)
{
	struct directory_down *down = &gate->down[gate->next];

	gate->next = (gate->next + 1) % DIRECTORY_DOWN_MAX;
	memcpy(down->uri, uri, strlen(uri) + 1);
	down->until_us = clock_steady_us() + DOWN_US;
}

struct ldap_server
directory_server(const struct directory *directory, const char *uri)
{
	return (struct ldap_server){.uri = uri,
		.security = strcmp(directory->mode, "ldaps") == 0
				    ? LDAP_SECURITY_LDAPS
				    : LDAP_SECURITY_STARTTLS,
		.ca = directory->ca,
		.timeout_ms = directory->timeout_ms};
}

static enum rc
connect_at(struct arena *arena, struct directory_gate *gate,
	const struct directory *directory, const struct ldap_server *server,
	const char *password, struct ldap_link **link, struct fault *fault)
{
	enum rc rc;

	if (is_down(gate, server->uri))
		return fault_set(fault, RC_UNAVAILABLE,
			"directory %s: %s was out of reach a moment ago",
			directory->name, server->uri);
	rc = ldap_link_open(
		arena, server, directory->bind_dn, password, link, fault);
	if (rc == RC_OK)
		return rc;
	note_down(gate, server->uri);
	log_warn(NULL, "directory %s at %s: %s", directory->name, server->uri,
		fault->text);
	return RC_UNAVAILABLE;
}

enum rc
directory_connect(struct arena *arena, struct directory_gate *gate,
	const struct directory *directory, struct ldap_server *server,
	struct ldap_link **link, struct fault *fault)
{
	const char *password = directory_password(arena, gate->seal, directory);
	enum rc rc = RC_UNAVAILABLE;

	if (password == NULL)
		return fault_set(fault, RC_UNAVAILABLE,
			"directory %s: its password was sealed with another "
			"seal file",
			directory->name);
	for (size_t i = 0; i < directory->uris.count && rc != RC_OK; i++) {
		*server = directory_server(directory, directory->uris.items[i]);
		rc = connect_at(
			arena, gate, directory, server, password, link, fault);
	}
	return rc;
}

/* --- people
 * ---------------------------------------------------------------------- */

/* Attributes whose values are bytes; what stands for them is hexadecimal. */
static bool
is_binary(const char *attribute)
{
	return strcasecmp(attribute, "objectGUID") == 0 ||
	       strcasecmp(attribute, "objectSid") == 0;
}

static const char *
escape_subject(struct arena *arena, const struct directory *directory,
	const char *subject)
{
	const void *value = subject;
	size_t length = strlen(subject);

	if (is_binary(directory->id_attribute))
		value = decode_hex(arena, subject, length, &length);
	return value == NULL ? "" : ldap_filter_escape(arena, value, length);
}

/* (|(id=one)(id=two)…) */
static const char *
subject_filter(struct arena *arena, const struct directory *directory,
	const struct directory_whom *whom)
{
	struct buf out;
	const char *text;

	buf_init(&out, 0);
	buf_text(&out, "(|");
	for (size_t i = 0; i < whom->count; i++)
		buf_printf(&out, "(%s=%s)", directory->id_attribute,
			escape_subject(arena, directory, whom->subjects[i]));
	buf_char(&out, ')');
	text = arena_strndup(arena, out.data, out.length);
	buf_free(&out);
	return text;
}

const char *
directory_user_filter(struct arena *arena, const struct directory *directory,
	const struct directory_whom *whom)
{
	struct ldap_filter_part parts[] = {{"name", "*"}, {NULL, NULL}};
	const char *users;

	if (whom->name != NULL)
		parts[0].value = ldap_filter_escape(
			arena, whom->name, strlen(whom->name));
	users = ldap_filter_fill(arena, directory->user_filter, parts);
	if (users == NULL || whom->name != NULL || whom->count == 0)
		return users;
	return arena_printf(arena, "(&%s%s)", users,
		subject_filter(arena, directory, whom));
}

enum rc
directory_search_users(struct ldap_link *link, struct arena *arena,
	const struct directory *directory, const struct directory_whom *whom,
	size_t limit, struct ldap_entries *entries, struct fault *fault)
{
	const char *const attributes[] = {directory->id_attribute,
		directory->name_attribute, directory->full_name_attribute,
		directory->email_attribute, "userAccountControl",
		"primaryGroupID", "objectSid", NULL};
	const struct ldap_search search = {.base = directory->base,
		.scope = LDAP_SCOPE_TREE,
		.filter = directory_user_filter(arena, directory, whom),
		.attributes = attributes,
		.limit = limit};

	if (search.filter == NULL)
		return fault_set(fault, RC_BAD_INPUT,
			"directory %s: its user filter has a place that is "
			"not {name}",
			directory->name);
	return ldap_link_search(link, arena, &search, entries, fault);
}

static const char *
read_subject(struct arena *arena, const struct directory *directory,
	const struct ldap_entry *entry)
{
	const struct ldap_attribute *id =
		ldap_entry_attribute(entry, directory->id_attribute);

	if (id == NULL || id->count != 1)
		return NULL;
	if (is_binary(directory->id_attribute))
		return encode_hex(
			arena, id->values[0].data, id->values[0].length);
	return ldap_entry_text(entry, directory->id_attribute);
}

enum rc
directory_read_person(struct arena *arena, const struct directory *directory,
	const struct ldap_entry *entry, struct outside_user *person,
	struct fault *fault)
{
	const char *source = directory_source(arena, directory);

	*person = (struct outside_user){.source = source,
		.issuer = source,
		.subject = read_subject(arena, directory, entry),
		.name = ldap_entry_text(entry, directory->name_attribute),
		.full_name =
			ldap_entry_text(entry, directory->full_name_attribute),
		.email = ldap_entry_text(entry, directory->email_attribute),
		.good_s = directory->sync_s};
	if (person->subject == NULL || person->name == NULL)
		return fault_set(fault, RC_UPSTREAM,
			"directory %s: %s has no %s to read", directory->name,
			entry->dn,
			person->name == NULL ? directory->name_attribute
					     : directory->id_attribute);
	return RC_OK;
}

bool
directory_entry_disabled(const struct ldap_entry *entry)
{
	const char *control = ldap_entry_text(entry, "userAccountControl");

	return control != NULL && (strtol(control, NULL, 10) & 2) != 0;
}
