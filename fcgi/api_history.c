/* api_history: samples for a trend. */

#include "fcgi/api_history.h"

#include <math.h>
#include <string.h>

#include "lib/clock.h"
#include "model/history.h"

#define POINTS_MIN     10
#define POINTS_MAX     10000
#define POINTS_DEFAULT 1000

struct question {
	struct texts names;
	int64_t from_us;
	int64_t to_us;
	int64_t points;
};

static const struct field question_fields[] = {
	{.name = "variableNames",
		.kind = FIELD_TEXTS,
		.offset = offsetof(struct question, names),
		.required = true,
		.maximum = API_HISTORY_VARIABLES_MAX},
	{.name = "from",
		.kind = FIELD_TIME,
		.offset = offsetof(struct question, from_us),
		.required = true},
	{.name = "to",
		.kind = FIELD_TIME,
		.offset = offsetof(struct question, to_us),
		.required = true},
	{.name = "points",
		.kind = FIELD_INT,
		.offset = offsetof(struct question, points),
		.minimum = POINTS_MIN,
		.maximum = POINTS_MAX},
	FIELDS_END,
};

/* --- what is asked ------------------------------------------------------- */

enum rc
api_history_check_range(struct req *req, int64_t from_us, int64_t to_us)
{
	if (from_us >= to_us)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"from", "\"from\" must lie before \"to\".");
	if (to_us - from_us > API_HISTORY_DAYS_MAX * CLOCK_DAY_US)
		return fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"from", "At most ten years at once.");
	return RC_OK;
}

static bool
is_listed(const struct variable *items, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(items[i].name, name) == 0)
			return true;
	return false;
}

enum rc
api_history_variables(struct req *req, struct resp *resp,
	const struct plant *plant, const struct texts *names,
	struct variable_list *variables)
{
	struct variable_list found;
	struct texts unknown = {0};
	struct variable *items;
	const char **strangers;
	enum rc rc;

	rc = variable_query_names(req->db, req->arena, plant->datasource.id,
		names->items, names->count, &found, &req->fault);
	if (rc != RC_OK)
		return rc;
	items = arena_array(req->arena, found.count + 1, sizeof(*items));
	*variables = (struct variable_list){0, items};
	for (size_t i = 0; i < found.count; i++)
		if (plant_shows(plant, &found.items[i], POLICY_READ_HISTORY) &&
			!is_listed(
				items, variables->count, found.items[i].name))
			items[variables->count++] = found.items[i];
	strangers =
		arena_array(req->arena, names->count + 1, sizeof(*strangers));
	for (size_t i = 0; i < names->count; i++)
		if (!is_listed(items, variables->count, names->items[i]))
			strangers[unknown.count++] = names->items[i];
	if (unknown.count == 0)
		return RC_OK;
	unknown.items = strangers;
	variables->count = 0;
	api_refuse_variables(resp, &unknown,
		"The datasource does not have all these variables.");
	return RC_OK;
}

/* --- what there is ------------------------------------------------------- */

/* What one variable has. */
struct samples {
	const struct variable *variable;
	struct sample *items;
	size_t room;
	size_t count;
	size_t within; /* the range, the bounds not counted */
	bool few;      /* so they are told as they are */
	struct history_envelope envelope; /* when they are not */
};

/* All that one question reads. */
struct reading {
	struct arena *arena;
	const struct question *question;
	struct samples *all; /* for each variable */
	size_t count;
};

static struct samples *
find_samples(const struct reading *reading, int32_t variable_id)
{
	struct samples *samples = reading->all;

	while (samples->variable->id != variable_id)
		samples++;
	return samples;
}

static void
make_room(struct arena *arena, struct samples *samples)
{
	size_t room = samples->room * 2 + 64;
	struct sample *items = arena_array(arena, room, sizeof(*items));

	if (samples->count > 0)
		memcpy(items, samples->items, samples->count * sizeof(*items));
	samples->items = items;
	samples->room = room;
}

static enum rc
keep_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct reading *reading = context;
	const struct question *question = reading->question;
	struct samples *samples = find_samples(reading, sample->variable_id);
	struct sample *kept;

	(void)fault;
	samples->within += sample->time_us >= question->from_us &&
			   sample->time_us < question->to_us;
	if (samples->count == samples->room)
		make_room(reading->arena, samples);
	kept = &samples->items[samples->count++];
	*kept = *sample;
	if (kept->value.kind == VALUE_STRING)
		kept->value.string.data = arena_strndup(reading->arena,
			sample->value.string.data, sample->value.string.bytes);
	return RC_OK;
}

/* The ids of those that have few samples, or of the others. */
static int32_t *
choose(const struct reading *reading, bool few, size_t *count)
{
	int32_t *ids =
		arena_array(reading->arena, reading->count, sizeof(*ids));

	*count = 0;
	for (size_t i = 0; i < reading->count; i++)
		if (reading->all[i].few == few)
			ids[(*count)++] = reading->all[i].variable->id;
	return ids;
}

/* Draw everything first: that costs little, and tells which have few. Strings
 * cannot be drawn. */
static enum rc
draw(struct req *req, struct reading *reading)
{
	const struct question *question = reading->question;
	struct history_envelope *envelopes =
		arena_array(req->arena, reading->count, sizeof(*envelopes));
	size_t count;
	const int32_t *ids = choose(reading, false, &count);
	enum rc rc;

	if (count == 0)
		return RC_OK;
	rc = history_envelopes(req->db, req->arena,
		&(struct history_query){
			.variable_ids = ids,
			.count = count,
			.from_us = question->from_us,
			.to_us = question->to_us,
		},
		(size_t)question->points, envelopes, &req->fault);
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		struct samples *samples = find_samples(reading, ids[i]);

		samples->envelope = envelopes[i];
		samples->few = envelopes[i].samples <= question->points;
	}
	return rc;
}

/* Of strings there may be more than wanted: one more is enough to know. */
static enum rc
read_samples(struct req *req, struct reading *reading)
{
	const struct question *question = reading->question;
	size_t count;
	const int32_t *ids = choose(reading, true, &count);

	if (count == 0)
		return RC_OK;
	return history_read(req->db, req->arena,
		&(struct history_query){
			.variable_ids = ids,
			.count = count,
			.from_us = question->from_us,
			.to_us = question->to_us,
			.order = HISTORY_BY_VARIABLE,
			.limit = (size_t)question->points + 1,
			.bounds = true,
		},
		&(struct history_visitor){keep_sample, reading}, &req->fault);
}

/* --- the answer ---------------------------------------------------------- */

/* Milliseconds; microseconds as a fraction when there are some. */
static void
write_time(struct jsonw *json, int64_t time_us)
{
	char text[32];

	if (time_us % 1000 == 0) {
		jsonw_int(json, NULL, time_us / 1000);
		return;
	}
	snprintf(text, sizeof(text), "%lld.%03d", (long long)(time_us / 1000),
		(int)(time_us % 1000));
	jsonw_raw(json, NULL, text);
}

/* A bad value is null: it must break the line, not look like a good one. */
static void
write_value(struct jsonw *json, const struct sample *sample)
{
	const struct value *value = &sample->value;

	if ((sample->status & STATUS_BAD) != 0)
		jsonw_null(json, NULL);
	else if (value->kind == VALUE_STRING)
		jsonw_str(json, NULL, value->string.data);
	else if (value->kind == VALUE_INT)
		jsonw_int(json, NULL, value->integer);
	else
		jsonw_num(json, NULL, value_number(value));
}

static void
write_raw(struct jsonw *json, const struct samples *samples, size_t points)
{
	jsonw_str(json, "form", "raw");
	if (samples->within > points) /* a string: there is no other form */
		jsonw_bool(json, "truncated", true);
	jsonw_open_arr(json, "time");
	for (size_t i = 0; i < samples->count; i++)
		write_time(json, samples->items[i].time_us);
	jsonw_close_arr(json);
	jsonw_open_arr(json, "value");
	for (size_t i = 0; i < samples->count; i++)
		write_value(json, &samples->items[i]);
	jsonw_close_arr(json);
	jsonw_open_arr(json, "status");
	for (size_t i = 0; i < samples->count; i++)
		jsonw_uint(json, NULL, samples->items[i].status);
	jsonw_close_arr(json);
}

static void
write_column(
	struct jsonw *json, const char *key, const double *column, size_t count)
{
	jsonw_open_arr(json, key);
	for (size_t i = 0; i < count; i++)
		jsonw_num(json, NULL, column[i]);
	jsonw_close_arr(json);
}

static void
write_envelope(struct jsonw *json, const struct history_envelope *envelope)
{
	jsonw_str(json, "form", "envelope");
	jsonw_num(json, "bucket", (double)envelope->bucket_us / 1e6);
	jsonw_int(json, "samples", envelope->samples);
	jsonw_open_arr(json, "time");
	for (size_t i = 0; i < envelope->count; i++)
		write_time(json, envelope->time_us[i]);
	jsonw_close_arr(json);
	write_column(json, "minimum", envelope->minimum, envelope->count);
	write_column(json, "maximum", envelope->maximum, envelope->count);
	write_column(json, "last", envelope->last, envelope->count);
	jsonw_open_arr(json, "status");
	for (size_t i = 0; i < envelope->count; i++)
		jsonw_uint(json, NULL, envelope->status[i]);
	jsonw_close_arr(json);
}

static void
write_variable(struct jsonw *json, const struct variable *variable)
{
	jsonw_str(json, "variableName", variable->name);
	jsonw_str(json, "unit", variable->unit);
	jsonw_int(json, "decimals", variable->decimals);
	jsonw_str(json, "type", variable_kind_name(variable->kind));
	jsonw_bool(json, "stepped", variable->stepped);
}

static void
write_all(struct jsonw *json, const struct reading *reading)
{
	size_t points = (size_t)reading->question->points;

	for (size_t i = 0; i < reading->count; i++) {
		const struct samples *samples = &reading->all[i];

		jsonw_open_obj(json, NULL);
		write_variable(json, samples->variable);
		if (samples->few)
			write_raw(json, samples, points);
		else
			write_envelope(json, &samples->envelope);
		jsonw_close_obj(json);
	}
}

static enum rc
answer_all(struct req *req, struct resp *resp, struct reading *reading)
{
	const struct question *question = reading->question;
	struct jsonw *json;
	enum rc rc = history_begin(req->db, &req->fault);

	if (rc == RC_OK)
		rc = draw(req, reading);
	if (rc == RC_OK)
		rc = read_samples(req, reading);
	db_rollback(req->db);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_time(json, "from", question->from_us);
	jsonw_time(json, "to", question->to_us);
	jsonw_open_arr(json, "variables");
	write_all(json, reading);
	jsonw_close_arr(json);
	jsonw_close_obj(json);
	return RC_OK;
}

static void
prepare(struct req *req, const struct question *question,
	const struct variable_list *variables, struct reading *reading)
{
	*reading = (struct reading){
		.arena = req->arena,
		.question = question,
		.all = arena_array(
			req->arena, variables->count, sizeof(struct samples)),
		.count = variables->count,
	};
	for (size_t i = 0; i < variables->count; i++) {
		struct samples *samples = &reading->all[i];

		samples->variable = &variables->items[i];
		samples->few = samples->variable->kind == VALUE_STRING;
	}
}

enum rc
api_history_query(struct req *req, struct resp *resp)
{
	struct question question = {.points = POINTS_DEFAULT};
	struct variable_list variables = {0};
	struct reading reading;
	struct plant plant;
	enum rc rc = plant_find(req, &plant);

	if (rc == RC_OK)
		rc = req_json(req, question_fields, &question);
	if (rc == RC_OK)
		rc = api_history_check_range(
			req, question.from_us, question.to_us);
	if (rc == RC_OK && question.names.count == 0)
		rc = fault_tell(&req->fault, RC_BAD_INPUT, "BadRequest",
			"variableNames", "Name at least one variable.");
	if (rc == RC_OK)
		rc = api_history_variables(
			req, resp, &plant, &question.names, &variables);
	if (rc != RC_OK || variables.count == 0)
		return rc;
	prepare(req, &question, &variables, &reading);
	return answer_all(req, resp, &reading);
}
