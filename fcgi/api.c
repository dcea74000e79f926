/* api: what the endpoints of fieldgrid-api share. */

#include "fcgi/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"

#define NAMES_MAX   1000
#define SPAN_MAX_US (520 * 7 * CLOCK_DAY_US)

/* --- filters ------------------------------------------------------------- */

const struct field api_time_fields[] = {
	{.name = "from",
		.kind = FIELD_TIME,
		.offset = offsetof(struct api_time, from_us)},
	{.name = "to",
		.kind = FIELD_TIME,
		.offset = offsetof(struct api_time, to_us)},
	{.name = "last",
		.kind = FIELD_TEXT,
		.offset = offsetof(struct api_time, last),
		.maximum = 16},
	{.name = "until",
		.kind = FIELD_TEXT,
		.offset = offsetof(struct api_time, until),
		.maximum = 16},
	{.name = "type",
		.kind = FIELD_TEXT,
		.offset = offsetof(struct api_time, type),
		.maximum = 32},
	FIELDS_END,
};

const struct field api_variable_fields[] = {
	{.name = "variableNames", .kind = FIELD_TEXTS, .maximum = NAMES_MAX},
	FIELDS_END,
};

static const struct field filter_fields[] = {
	{.name = "timeFilter",
		.kind = FIELD_OBJECT,
		.offset = offsetof(struct api_filter, time),
		.required = true,
		.fields = api_time_fields},
	{.name = "variableFilter",
		.kind = FIELD_OBJECT,
		.offset = offsetof(struct api_filter, names),
		.fields = api_variable_fields},
	{.name = "origin",
		.kind = FIELD_TEXT,
		.offset = offsetof(struct api_filter, origin),
		.maximum = 32},
	FIELDS_END,
};

static enum rc PRINTF_LIKE(3, 4)
	refuse(struct req *req, const char *field, const char *format, ...);

static enum rc
refuse(struct req *req, const char *field, const char *format, ...)
{
	char text[sizeof(req->fault.client)];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return fault_tell(
		&req->fault, RC_BAD_INPUT, "BadRequest", field, "%s", text);
}

/* "15m" as microseconds: s, m, h, d or w, up to ten years. */
static bool
parse_span(const char *text, int64_t *span_us)
{
	static const struct {
		char letter;
		int64_t us;
	} units[] = {
		{'s', CLOCK_SECOND_US},
		{'m', CLOCK_MINUTE_US},
		{'h', CLOCK_HOUR_US},
		{'d', CLOCK_DAY_US},
		{'w', 7 * CLOCK_DAY_US},
	};
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 9 || strlen(text) != digits + 1)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
		if (text[digits] == units[i].letter) {
			*span_us = strtoll(text, NULL, 10) * units[i].us;
			return *span_us <= SPAN_MAX_US;
		}
	return false;
}

#define SPANS "a number and s, m, h, d or w, such as \"15m\", up to 520w."

static enum rc
resolve_relative(struct req *req, struct api_time *time)
{
	int64_t until_us = 0;
	int64_t last_us;

	if (time->from_us != CLOCK_NEVER || time->to_us != CLOCK_NEVER)
		return refuse(req, "timeFilter.from",
			"A relative time filter has \"last\" and \"until\", "
			"not \"from\" and \"to\".");
	if (time->last == NULL || !parse_span(time->last, &last_us))
		return refuse(req, "timeFilter.last",
			"\"timeFilter.last\" must be " SPANS);
	if (time->until != NULL && !parse_span(time->until, &until_us))
		return refuse(req, "timeFilter.until",
			"\"timeFilter.until\" must be " SPANS);
	time->to_us = clock_now_us() - until_us;
	time->from_us = time->to_us - last_us;
	return RC_OK;
}

static enum rc
resolve_absolute(struct req *req, const struct api_time *time)
{
	if (time->last != NULL || time->until != NULL)
		return refuse(req, "timeFilter.last",
			"An absolute time filter has \"from\" and \"to\", not "
			"\"last\" and \"until\".");
	if (time->from_us == CLOCK_NEVER)
		return refuse(req, "from", "\"timeFilter.from\" is missing.");
	if (time->to_us == CLOCK_NEVER)
		return refuse(req, "to", "\"timeFilter.to\" is missing.");
	if (time->from_us > time->to_us)
		return refuse(
			req, "timeFilter", "\"from\" lies behind \"to\".");
	return RC_OK;
}

bool
api_time_given(const struct api_time *time)
{
	return time->type != NULL || time->last != NULL ||
	       time->until != NULL || time->from_us != CLOCK_NEVER ||
	       time->to_us != CLOCK_NEVER;
}

enum rc
api_time_resolve(struct req *req, struct api_time *time)
{
	bool relative = time->type == NULL
				? time->last != NULL
				: strcasecmp(time->type, "Relative") == 0;

	if (relative)
		return resolve_relative(req, time);
	if (time->type != NULL && strcasecmp(time->type, "Absolute") != 0)
		return refuse(req, "timeFilter.type",
			"The type of a time filter is \"Absolute\" or "
			"\"Relative\".");
	return resolve_absolute(req, time);
}

enum rc
api_filter_read(struct req *req, struct api_filter *filter)
{
	enum rc rc;

	*filter = (struct api_filter){.time = API_TIME_UNSET};
	rc = req_json(req, filter_fields, filter);
	return rc == RC_OK ? api_time_resolve(req, &filter->time) : rc;
}

void
api_refuse_variables(
	struct resp *resp, const struct texts *names, const char *message)
{
	struct jsonw *json = resp_json(resp, 400);

	jsonw_open_obj(json, NULL);
	jsonw_str(json, "errorCode", "BadRequest");
	jsonw_str(json, "errorMessage", message);
	jsonw_open_arr(json, "variableErrors");
	for (size_t i = 0; i < names->count; i++) {
		jsonw_open_obj(json, NULL);
		jsonw_str(json, "variableName", names->items[i]);
		jsonw_str(json, "errorCode", "NotFound");
		jsonw_str(json, "errorMessage",
			"There is no such variable here.");
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
	jsonw_close_obj(json);
}
