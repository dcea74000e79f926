/* controller_rights: what the endpoints of groups, roles and rules share. */

#include "fcgi/controller_rights.h"

#include <string.h>

#include "lib/encode.h"
#include "model/datasource.h"

enum rc
controller_finish(struct req *req, enum rc rc, struct audit *what,
	const char *kind, const char *name)
{
	if (rc != RC_OK)
		return rc;
	what->object = arena_printf(req->arena, "%s:%s", kind, name);
	what->result = AUDIT_OK;
	rc = audit_write(req, what);
	return rc == RC_OK ? db_commit(req->db, &req->fault) : rc;
}

enum rc
controller_datasource(struct req *req, const char *text, int64_t *id)
{
	uint8_t uuid[UUID_BYTES];
	struct datasource datasource;
	enum rc rc = RC_NOT_FOUND;

	*id = 0;
	if (text == NULL || strcmp(text, "*") == 0)
		return RC_OK;
	if (uuid_parse(text, uuid))
		rc = datasource_find(
			req->db, req->arena, uuid, &datasource, &req->fault);
	if (rc == RC_NOT_FOUND)
		return fault_tell(&req->fault, RC_BAD_INPUT,
			"DataSourceNotFound", "dataSource",
			"There is no such datasource; every one is \"*\".");
	if (rc == RC_OK)
		*id = datasource.id;
	return rc;
}
