/* audit_json: a row of the audit for REST and for exports. */
#ifndef FG_MODEL_AUDIT_JSON_H
#define FG_MODEL_AUDIT_JSON_H

#include "lib/jsonw.h"
#include "model/audit_read.h"

/* How old and new values are written. */
enum audit_json {
	AUDIT_JSON_VALUES, /* as the JSON that they are */
	AUDIT_JSON_TEXTS,  /* as strings: exactly what is hashed */
};

/* One object; the time has microseconds, as it is hashed. */
void audit_json_write(struct jsonw *json, const struct audit_item *item,
	enum audit_json values);

#endif
