/* audit_row: one row of the audit and the form that is hashed. */

#include "model/audit_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct audit_row
audit_row_take(const struct rows *rows, size_t row, int first)
{
	return (struct audit_row){
		.id = rows_int(rows, row, first),
		.at_us = rows_time(rows, row, first + 1),
		.writer = rows_text(rows, row, first + 2),
		.actor_kind = rows_text(rows, row, first + 3),
		.actor = rows_text(rows, row, first + 4),
		.subject = rows_text(rows, row, first + 5),
		.client = rows_text(rows, row, first + 6),
		.address = rows_text(rows, row, first + 7),
		.request = rows_text(rows, row, first + 8),
		.action = rows_text(rows, row, first + 9),
		.object = rows_text(rows, row, first + 10),
		.result = rows_text(rows, row, first + 11),
		.repeats = rows_int(rows, row, first + 12),
		.before = rows_text(rows, row, first + 13),
		.after = rows_text(rows, row, first + 14),
	};
}

static void
add_text(struct buf *out, const char *text)
{
	if (text == NULL)
		buf_text(out, "-,");
	else
		buf_printf(out, "%zu:%s,", strlen(text), text);
}

static void
add_number(struct buf *out, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	add_text(out, text);
}

void
audit_row_hash(const struct audit_row *row, int64_t position,
	const uint8_t before[SECRET_HASH_BYTES], struct buf *scratch,
	uint8_t hash[SECRET_HASH_BYTES])
{
	buf_clear(scratch);
	buf_add(scratch, before, SECRET_HASH_BYTES);
	add_number(scratch, position);
	add_number(scratch, row->id);
	add_number(scratch, row->at_us);
	add_text(scratch, row->writer);
	add_text(scratch, row->actor_kind);
	add_text(scratch, row->actor);
	add_text(scratch, row->subject);
	add_text(scratch, row->client);
	add_text(scratch, row->address);
	add_text(scratch, row->request);
	add_text(scratch, row->action);
	add_text(scratch, row->object);
	add_text(scratch, row->result);
	add_number(scratch, row->repeats);
	add_text(scratch, row->before);
	add_text(scratch, row->after);
	secret_hash(hash, scratch->data, scratch->length);
}
