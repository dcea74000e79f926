/* api_export: samples as a table for spreadsheets. */

#include "fcgi/api_export.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "fcgi/api_history.h"
#include "lib/clock.h"
#include "lib/zone.h"
#include "model/history.h"

#define PART_BYTES ((size_t)256 * 1024)
#define SLUG_BYTES 48

/* What one variable has at the time of the row. */
struct cell {
	bool filled;
	struct sample sample;
	char *text; /* of a string; room for the longest */
};

struct table {
	struct req *req;
	struct resp *resp;
	struct buf *out;
	const struct variable_list *variables;
	struct cell *cells;
	int64_t time_us; /* of the row */
	bool row;        /* there is one */
};

/* --- what is asked ------------------------------------------------------- */

struct wish {
	struct texts names;
	int64_t from_us;
	int64_t to_us;
	const char *zone;
};

static enum rc
take_time(struct req *req, const struct pairs *pairs, const char *name,
	int64_t *time_us)
{
	const char *text = pairs_find(pairs, name);

	if (text == NULL || !clock_parse(text, time_us))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest", name,
			"\"%s\" must be a time such as 2026-01-31T08:00:00Z "
			"(+ is written %%2B).",
			name);
	return RC_OK;
}

static enum rc
take_names(struct req *req, const struct pairs *pairs, struct texts *names)
{
	const char **items = arena_array(
		req->arena, API_HISTORY_VARIABLES_MAX, sizeof(*items));
	size_t count = pairs_count(pairs, "variable");

	if (count == 0 || count > API_HISTORY_VARIABLES_MAX)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"variable", "Name 1 to %d variables.",
			API_HISTORY_VARIABLES_MAX);
	count = 0;
	for (size_t i = 0; i < pairs->count; i++)
		if (strcmp(pairs->items[i].name, "variable") == 0)
			items[count++] = pairs->items[i].value;
	*names = (struct texts){count, items};
	return RC_OK;
}

static enum rc
read_wish(struct req *req, struct wish *wish)
{
	struct pairs pairs;
	enum rc rc = req_query(req, &pairs);

	if (rc == RC_OK)
		rc = take_names(req, &pairs, &wish->names);
	if (rc == RC_OK)
		rc = take_time(req, &pairs, "from", &wish->from_us);
	if (rc == RC_OK)
		rc = take_time(req, &pairs, "to", &wish->to_us);
	if (rc == RC_OK)
		rc = api_history_check_range(req, wish->from_us, wish->to_us);
	if (rc != RC_OK)
		return rc;
	wish->zone = pairs_find(&pairs, "zone");
	if (wish->zone == NULL)
		wish->zone = "UTC";
	return RC_OK;
}

static const int32_t *
variable_ids(struct arena *arena, const struct variable_list *variables)
{
	int32_t *ids = arena_array(arena, variables->count, sizeof(*ids));

	for (size_t i = 0; i < variables->count; i++)
		ids[i] = variables->items[i].id;
	return ids;
}

/* Said before the first byte, because later it could not be. */
static enum rc
check_size(struct req *req, const struct wish *wish,
	const struct variable_list *variables)
{
	const struct api *api = req->app;
	struct history_envelope *envelopes =
		arena_array(req->arena, variables->count, sizeof(*envelopes));
	int64_t samples = 0;
	enum rc rc;

	rc = history_envelopes(req->db, req->arena,
		&(struct history_query){
			.variable_ids = variable_ids(req->arena, variables),
			.count = variables->count,
			.from_us = wish->from_us,
			.to_us = wish->to_us,
		},
		1, envelopes, &req->fault);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < variables->count; i++)
		samples += envelopes[i].samples;
	if (samples > api->samples_max)
		return fault_tell(&req->fault, RC_TOO_LARGE, "TooManySamples",
			"from",
			"%lld samples are more than %lld; ask for a shorter "
			"time or fewer variables.",
			(long long)samples, (long long)api->samples_max);
	return RC_OK;
}

/* --- the table ----------------------------------------------------------- */

/*
 * Text between quotes (RFC 4180). A spreadsheet would run what begins like a
 * formula: an apostrophe in front makes it text.
 */
static void
write_text(struct buf *out, const char *text)
{
	buf_char(out, '"');
	if (text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL)
		buf_char(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '"')
			buf_char(out, '"');
		buf_char(out, *text);
	}
	buf_char(out, '"');
}

static void
write_number(struct buf *out, double number)
{
	struct jsonw json;

	if (isnan(number)) {
		buf_text(out, "NaN");
	} else if (isinf(number)) {
		buf_text(out, number > 0 ? "Infinity" : "-Infinity");
	} else {
		jsonw_init(&json, out);
		jsonw_num(&json, NULL, number);
	}
}

static void
write_cell(struct buf *out, const struct cell *cell)
{
	const struct value *value = &cell->sample.value;

	if (!cell->filled) {
		buf_text(out, ",,");
		return;
	}
	buf_char(out, ',');
	if (value->kind == VALUE_STRING)
		write_text(out, cell->text);
	else if (value->kind == VALUE_INT)
		buf_printf(out, "%" PRId64, value->integer);
	else
		write_number(out, value_number(value));
	buf_printf(out, ",%" PRIu64, cell->sample.status);
}

static enum rc
end_row(struct table *table, struct fault *fault)
{
	char time[ZONE_TEXT_BYTES];

	if (!table->row)
		return RC_OK;
	zone_format(time, table->time_us);
	buf_text(table->out, time);
	for (size_t i = 0; i < table->variables->count; i++) {
		write_cell(table->out, &table->cells[i]);
		table->cells[i].filled = false;
	}
	buf_text(table->out, "\r\n");
	table->row = false;
	if (table->out->length >= PART_BYTES && !resp_flush(table->resp))
		return fault_set(fault, RC_IO, "the client has gone");
	return RC_OK;
}

static struct cell *
find_cell(struct table *table, int32_t variable_id)
{
	size_t i = 0;

	while (table->variables->items[i].id != variable_id)
		i++;
	return &table->cells[i];
}

/* A second sample of a variable at the same time gets a row of its own. */
static enum rc
take_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct table *table = context;
	struct cell *cell = find_cell(table, sample->variable_id);
	enum rc rc = RC_OK;

	if (table->row && (table->time_us != sample->time_us || cell->filled))
		rc = end_row(table, fault);
	if (rc != RC_OK)
		return rc;
	table->row = true;
	table->time_us = sample->time_us;
	cell->filled = true;
	cell->sample = *sample;
	if (sample->value.kind == VALUE_STRING) {
		if (cell->text == NULL)
			cell->text = arena_alloc(
				table->req->arena, VALUE_STRING_BYTES_MAX + 1);
		memcpy(cell->text, sample->value.string.data,
			sample->value.string.bytes);
		cell->text[sample->value.string.bytes] = '\0';
	}
	return RC_OK;
}

static void
write_head(
	struct table *table, const struct plant *plant, const struct wish *wish)
{
	struct arena *arena = table->req->arena;
	char from[ZONE_TEXT_BYTES];
	char to[ZONE_TEXT_BYTES];

	zone_format(from, wish->from_us);
	zone_format(to, wish->to_us);
	buf_text(table->out, "# ");
	write_text(table->out, plant->datasource.name);
	buf_printf(table->out, " from %s to %s, time zone %s\r\n", from, to,
		wish->zone);
	buf_text(table->out, "time");
	for (size_t i = 0; i < table->variables->count; i++) {
		const struct variable *item = &table->variables->items[i];

		buf_char(table->out, ',');
		write_text(
			table->out, item->unit[0] == '\0'
					    ? item->name
					    : arena_printf(arena, "%s [%s]",
						      item->name, item->unit));
		buf_char(table->out, ',');
		write_text(table->out,
			arena_printf(arena, "%s status", item->name));
	}
	buf_text(table->out, "\r\n");
}

/* A file name of harmless letters: other ones need rules of their own. */
static const char *
file_name(struct arena *arena, const char *name)
{
	char slug[SLUG_BYTES] = "";
	size_t used = 0;

	for (; *name != '\0' && used + 1 < sizeof(slug); name++)
		slug[used++] = isalnum((unsigned char)*name) ? *name : '-';
	return arena_printf(
		arena, "attachment; filename=\"%s-history.csv\"", slug);
}

static enum rc
answer(struct req *req, struct resp *resp, const struct plant *plant,
	const struct wish *wish, const struct variable_list *variables)
{
	struct table table = {
		.req = req,
		.resp = resp,
		.variables = variables,
		.cells = arena_array(
			req->arena, variables->count, sizeof(struct cell)),
	};
	enum rc rc;

	resp_header(resp, "Content-Disposition",
		file_name(req->arena, plant->datasource.name));
	resp_header(resp, "Cache-Control", "no-store");
	table.out =
		resp_body(resp, 200, "text/csv; charset=utf-8; header=present");
	write_head(&table, plant, wish);
	rc = history_read(req->db, req->arena,
		&(struct history_query){
			.variable_ids = variable_ids(req->arena, variables),
			.count = variables->count,
			.from_us = wish->from_us,
			.to_us = wish->to_us,
			.order = HISTORY_BY_TIME,
		},
		&(struct history_visitor){take_sample, &table}, &req->fault);
	if (rc == RC_OK)
		rc = end_row(&table, &req->fault);
	buf_text(table.out, "# end\r\n");
	return rc;
}

enum rc
api_export_history(struct req *req, struct resp *resp)
{
	struct variable_list variables = {0};
	struct plant plant;
	struct wish wish = {0};
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = read_wish(req, &wish);
	if (rc == RC_OK)
		rc = api_history_variables(
			req, resp, &plant, &wish.names, &variables);
	if (rc != RC_OK || variables.count == 0)
		return rc;
	rc = check_size(req, &wish, &variables);
	if (rc != RC_OK)
		return rc;
	if (!zone_use(wish.zone))
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"zone", "There is no time zone \"%s\".", wish.zone);
	rc = answer(req, resp, &plant, &wish, &variables);
	if (!zone_use("UTC"))
		return fault_set(&req->fault, RC_BUG, "no UTC");
	return rc;
}
