/* ctl: what the commands of fieldgridctl share. */

#include "fcgi/ctl.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "model/audit.h"
#include "model/datasource.h"

const char *
ctl_option(const struct ctl *ctl, const char *name)
{
	for (int i = ctl->given_count - 1; i >= 0; i--)
		if (strcmp(ctl->given[i].option->name, name) == 0)
			return ctl->given[i].value;
	return NULL;
}

const char *
ctl_option_or(const struct ctl *ctl, const char *name, const char *fallback)
{
	const char *value = ctl_option(ctl, name);

	return value != NULL ? value : fallback;
}

const char **
ctl_options(const struct ctl *ctl, const char *name)
{
	const char **values = arena_array(
		ctl->arena, (size_t)ctl->given_count + 1, sizeof(*values));
	int count = 0;

	for (int i = 0; i < ctl->given_count; i++)
		if (strcmp(ctl->given[i].option->name, name) == 0)
			values[count++] = ctl->given[i].value;
	return values;
}

enum rc
ctl_option_int(struct ctl *ctl, const char *name, int64_t minimum,
	int64_t maximum, int64_t *number)
{
	const char *value = ctl_option(ctl, name);
	char *end;

	if (value == NULL)
		return RC_OK;
	*number = strtoll(value, &end, 10);
	if (end == value || *end != '\0' || *number < minimum ||
		*number > maximum)
		return fault_set(&ctl->fault, RC_BAD_INPUT,
			"--%s %s: must be a whole number from %" PRId64
			" to %" PRId64,
			name, value, minimum, maximum);
	return RC_OK;
}

enum rc
ctl_uuid(struct ctl *ctl, const char *text, uint8_t uuid[UUID_BYTES])
{
	if (uuid_parse(text, uuid))
		return RC_OK;
	return fault_set(&ctl->fault, RC_BAD_INPUT, "%s: not a UUID", text);
}

enum rc
ctl_begin(struct ctl *ctl)
{
	return db_begin(ctl->db, DB_READ_COMMITTED, &ctl->fault);
}

enum rc
ctl_end(struct ctl *ctl, enum rc rc)
{
	if (rc == RC_OK)
		rc = db_commit(ctl->db, &ctl->fault);
	if (rc != RC_OK)
		db_rollback(ctl->db);
	return rc;
}

enum rc
ctl_find_datasource(struct ctl *ctl, const char *wanted, int64_t *id)
{
	struct datasource_list list;
	enum rc rc = datasource_query(ctl->db, ctl->arena, &list, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < list.count; i++) {
		*id = list.items[i].id;
		if (strcmp(list.items[i].name, wanted) == 0 ||
			strcasecmp(list.items[i].uuid_text, wanted) == 0)
			return RC_OK;
	}
	return fault_set(&ctl->fault, RC_NOT_FOUND,
		"there is no datasource \"%s\"", wanted);
}

/* Who typed it, also behind sudo; the audit believes the account that may log
 * in to the database as its owner. */
const char *
ctl_operator_name(void)
{
	const char *before_sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *entry;

	if (before_sudo != NULL && before_sudo[0] != '\0')
		return before_sudo;
	entry = getpwuid(getuid());
	return entry != NULL ? entry->pw_name : "unknown";
}

enum rc
ctl_audit(struct ctl *ctl, const char *action, const char *object,
	const char *before, const char *after)
{
	char host[64] = "";
	const struct audit_actor actor = {.kind = "operator",
		.name = ctl_operator_name(),
		.client = "fieldgridctl",
		.address = host};
	const struct audit what = {.action = action,
		.object = object,
		.result = AUDIT_OK,
		.before = before,
		.after = after};

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	return audit_write_by(ctl->db, &actor, &what, &ctl->fault);
}
