/* audit_json: a row of the audit for REST and for exports. */

#include "model/audit_json.h"

#include <sodium.h>

#include "lib/clock.h"

#define HEX_BYTES (2 * SECRET_HASH_BYTES + 1)

static void
write_chain(struct jsonw *json, const struct audit_item *item)
{
	char hex[HEX_BYTES];

	if (item->hash == NULL) {
		jsonw_null(json, "position");
		jsonw_null(json, "hash");
		return;
	}
	sodium_bin2hex(hex, sizeof(hex), item->hash, SECRET_HASH_BYTES);
	jsonw_int(json, "position", item->position);
	jsonw_str(json, "hash", hex);
}

static void
write_value(struct jsonw *json, const char *key, const char *value,
	enum audit_json values)
{
	if (value == NULL || values == AUDIT_JSON_TEXTS)
		jsonw_str(json, key, value);
	else
		jsonw_raw(json, key, value);
}

void
audit_json_write(struct jsonw *json, const struct audit_item *item,
	enum audit_json values)
{
	const struct audit_row *row = &item->row;
	char time[CLOCK_TEXT_BYTES];

	clock_format(time, row->at_us);
	jsonw_open_obj(json, NULL);
	jsonw_int(json, "id", row->id);
	jsonw_str(json, "time", time);
	jsonw_str(json, "service", row->writer);
	jsonw_str(json, "actorKind", row->actor_kind);
	jsonw_str(json, "actor", row->actor);
	jsonw_str(json, "subject", row->subject);
	jsonw_str(json, "client", row->client);
	jsonw_str(json, "address", row->address);
	jsonw_str(json, "request", row->request);
	jsonw_str(json, "action", row->action);
	jsonw_str(json, "object", row->object);
	jsonw_str(json, "result", row->result);
	jsonw_int(json, "repeats", row->repeats);
	write_value(json, "before", row->before, values);
	write_value(json, "after", row->after, values);
	write_chain(json, item);
	jsonw_close_obj(json);
}
