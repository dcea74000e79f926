/* audit: adding to the record of who did what. */

#include "model/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/jsonw.h"
#include "lib/utf8.h"
#include "model/caller.h"

/* Bytes, so never more characters than the table takes. */
#define NAME_BYTES    160
#define ADDRESS_BYTES 64
#define REQUEST_BYTES 32
#define OBJECT_BYTES  320
#define VALUE_BYTES   ((size_t)32 * 1024)

enum { STMT_INSERT };

const struct stmt audit_stmts[] = {
	[STMT_INSERT] = {"audit_insert", "tttttttttntt",
		"INSERT INTO audit_entry (actor_kind, actor, subject, client"
		"     , address, request, action, object, result, repeats"
		"     , old_value, new_value)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10"
		"     , $11::json, $12::json)"},
	STMT_END,
};

/* Names come from outside: cut them, and let nothing in that is not text. */
static const char *
clean(char *out, size_t bytes, const char *text)
{
	size_t used = 0;

	while (text != NULL && *text != '\0') {
		size_t length = utf8_sequence(text, strlen(text));
		unsigned char byte = (unsigned char)*text;

		if (used + (length > 0 ? length : 1) >= bytes)
			break;
		if (length == 0 || byte < 0x20 || byte == 0x7f) {
			out[used++] = '?';
			text++;
		} else {
			memcpy(out + used, text, length);
			used += length;
			text += length;
		}
	}
	out[used] = '\0';
	return out;
}

static const char *
shorten(char *out, size_t bytes, const char *json)
{
	if (json == NULL || strlen(json) <= VALUE_BYTES)
		return json;
	snprintf(out, bytes, "{\"bytes\":%zu}", strlen(json));
	return out;
}

enum rc
audit_write_by(struct db *db, const struct audit_actor *actor,
	const struct audit *what, struct fault *fault)
{
	char name[NAME_BYTES];
	char subject[NAME_BYTES];
	char client[NAME_BYTES];
	char address[ADDRESS_BYTES];
	char request[REQUEST_BYTES];
	char object[OBJECT_BYTES];
	char before[40];
	char after[40];

	return db_exec(db, &audit_stmts[STMT_INSERT],
		PARAMS(P_TEXT(actor->kind),
			P_TEXT(clean(name, sizeof(name), actor->name)),
			P_TEXT(clean(subject, sizeof(subject), actor->subject)),
			P_TEXT(clean(client, sizeof(client), actor->client)),
			P_TEXT(clean(address, sizeof(address), actor->address)),
			P_TEXT(clean(request, sizeof(request), actor->request)),
			P_TEXT(what->action),
			P_TEXT(clean(object, sizeof(object), what->object)),
			P_TEXT(what->result),
			P_SHORT(what->repeats > 0 ? what->repeats : 1),
			P_TEXT(shorten(before, sizeof(before), what->before)),
			P_TEXT(shorten(after, sizeof(after), what->after))),
		NULL, fault);
}

const char *
audit_values(struct arena *arena, const char *name, ...)
{
	struct jsonw json;
	struct buf out;
	const char *text;
	va_list args;

	buf_init(&out, 0);
	jsonw_init(&json, &out);
	jsonw_open_obj(&json, NULL);
	va_start(args, name);
	for (; name != NULL; name = va_arg(args, const char *))
		jsonw_str(&json, name, va_arg(args, const char *));
	va_end(args);
	jsonw_close_obj(&json);
	text = arena_strdup(arena, out.data);
	buf_free(&out);
	return text;
}

struct audit_actor
audit_actor_of(const struct req *req)
{
	static const char *const kinds[] = {
		[CALLER_NOBODY] = "nobody",
		[CALLER_USER] = "user",
		[CALLER_CLIENT] = "client",
		[CALLER_NODE] = "node",
	};
	const struct caller *caller = req->caller;

	return (struct audit_actor){
		.kind = kinds[caller->kind],
		.name = caller->name,
		.subject = caller->subject,
		.client = caller->client,
		.address = req->address,
		.request = req->id,
	};
}

enum rc
audit_write(struct req *req, const struct audit *what)
{
	const struct audit_actor actor = audit_actor_of(req);

	if (strcmp(what->result, AUDIT_OK) != 0)
		req->audited = true;
	return audit_write_by(req->db, &actor, what, &req->fault);
}
