/* frame_json: what becomes of a body, and what is refused with which words. */

#include "model/frame_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "tests/unit/unit.h"

#define UUID "6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001"
#define HEAD                                                                   \
	"{\"frames\":[{\"datasource\":\"" UUID                                 \
	"\",\"spool\":\"00000000000000ff\",\"sequence\":7,"
#define TAIL "}]}"

/* What was visited, as one text. */
struct seen {
	char text[2048];
	size_t length;
};

static void
note_sample(struct seen *seen, const struct sample *sample)
{
	size_t left = sizeof(seen->text) - seen->length;
	char *at = seen->text + seen->length;
	long long time_us = (long long)sample->time_us;
	int used = 0;

	switch (sample->value.kind) {
	case VALUE_INT:
		used = snprintf(at, left, " %lld:i%lld", time_us,
			(long long)sample->value.integer);
		break;
	case VALUE_FLOAT:
		used = snprintf(
			at, left, " %lld:f%g", time_us, sample->value.number);
		break;
	case VALUE_BOOL:
		used = snprintf(
			at, left, " %lld:b%d", time_us, sample->value.boolean);
		break;
	case VALUE_STRING:
		used = snprintf(at, left, " %lld:s%s", time_us,
			sample->value.string.data);
		break;
	case VALUE_NONE:
		used = snprintf(at, left, " %lld:null", time_us);
	}
	seen->length += (size_t)used;
	if (sample->status != 0)
		seen->length += (size_t)snprintf(seen->text + seen->length,
			sizeof(seen->text) - seen->length, "/%llu",
			(unsigned long long)sample->status);
}

static void
note(struct seen *seen, const char *word)
{
	seen->length += (size_t)snprintf(seen->text + seen->length,
		sizeof(seen->text) - seen->length, "%s", word);
}

static void
note_alarm(struct seen *seen, const struct frame_json_alarm *alarm)
{
	const struct alarm_change *change = &alarm->change;

	seen->length += (size_t)snprintf(seen->text + seen->length,
		sizeof(seen->text) - seen->length,
		" #%02x %s/%s %s %lld-%lld/%lld x%u f%u s%llu v%d '%s'",
		change->id[15], alarm->variable, change->limit,
		alarm_change_kind_name(change->kind),
		(long long)change->came_us, (long long)change->went_us,
		change->reactivated_us == CLOCK_NEVER
			? 0LL
			: (long long)change->reactivated_us,
		change->reactivations, change->flags,
		(unsigned long long)change->status, change->value.kind,
		change->text);
}

static enum rc
visit(void *context, struct frame_json *frame, struct fault *fault)
{
	struct seen *seen = context;

	(void)fault;
	assert_true(frame->head.spool_id == 0xff);
	assert_int_equal(frame->head.datasource[0], 0x6f);
	note(seen, frame->head.sequence == 7 ? "[" : "{");
	for (size_t i = 0; i < frame->series_count; i++) {
		note(seen, frame->series[i].name);
		for (size_t k = 0; k < frame->series[i].count; k++)
			note_sample(seen,
				&frame->samples[frame->series[i].first + k]);
	}
	for (size_t i = 0; i < frame->events_count; i++) {
		note(seen, " !");
		note(seen, frame->events[i].event.kind);
		note(seen, frame->events[i].event.text);
		note(seen, frame->events[i].variable != NULL
				   ? frame->events[i].variable
				   : "-");
		note(seen, frame->events[i].event.value != NULL
				   ? frame->events[i].event.value
				   : "-");
	}
	for (size_t i = 0; i < frame->alarms_count; i++)
		note_alarm(seen, &frame->alarms[i]);
	note(seen, "]");
	return RC_OK;
}

static enum rc
read_body(const char *body, struct seen *seen, struct fault *fault)
{
	struct arena *arena = arena_new();
	enum rc rc;

	memset(seen, 0, sizeof(*seen));
	memset(fault, 0, sizeof(*fault));
	rc = frame_json_each(body, strlen(body), arena, visit, seen, fault);
	arena_free(arena);
	return rc;
}

static void
check_seen(const char *body, const char *expected)
{
	struct fault fault;
	struct seen seen;

	if (read_body(body, &seen, &fault) != RC_OK)
		fail_msg("%s: %s", body, fault.client);
	assert_string_equal(seen.text, expected);
}

static void
test_frame_json_reads_columns(void **state)
{
	(void)state;
	check_seen(HEAD
		"\"time\":[10,20],\"series\":[{\"name\":\"a\",\"value\":"
		"[1,2.5],\"status\":[0,4]},{\"value\":[true],\"time\":"
		"[5],\"name\":\"b\"}]" TAIL,
		"[a 10:i1 20:f2.5/4b 5:b1]");
}

static void
test_frame_json_takes_shared_times_that_come_last(void **state)
{
	(void)state;
	check_seen(HEAD "\"series\":[{\"name\":\"a\",\"value\":[\"x\",null]}],"
			"\"time\":[1,2]" TAIL,
		"[a 1:sx 2:null]");
}

static void
test_frame_json_reads_events(void **state)
{
	(void)state;
	check_seen(HEAD "\"events\":[{\"time\":3,\"kind\":\"alarm\",\"text\":"
			"\"T\",\"variable\":\"v\",\"value\":1.50},{\"time\":4,"
			"\"kind\":\"k\",\"text\":\"\"}]" TAIL,
		"[ !alarmTv1.50 !k--]");
}

#define ALARM                                                                  \
	"\"alarms\":[{\"id\":\"6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1002\","        \
	"\"variable\":\"v\",\"limit\":\"high\",\"kind\":\"went\",\"time\":5,"

static void
test_frame_json_reads_alarm_changes(void **state)
{
	(void)state;
	check_seen(HEAD ALARM
		"\"came\":1,\"went\":5,\"reactivated\":null,\"value\":1.5,"
		"\"reactivations\":2,\"flags\":[\"chattering\",\"uncertain\"],"
		"\"status\":131072,\"text\":\"hot\"}]" TAIL,
		"[ #02 v/high went 1-5/0 x2 f3 s131072 v2 'hot']");
	check_seen(HEAD ALARM "\"came\":1,\"went\":5}]" TAIL,
		"[ #02 v/high went 1-5/0 x0 f0 s0 v0 '']");
}

static void
test_frame_json_starts_every_frame_afresh(void **state)
{
	(void)state;
	check_seen(HEAD "\"time\":[1],\"series\":[{\"name\":\"a\",\"value\":[1]"
			"}]},{\"datasource\":\"" UUID
			"\",\"spool\":\"00000000000000FF\",\"sequence\":8,"
			"\"time\":[2],\"series\":[{\"name\":\"b\",\"value\":[2]"
			"}]" TAIL,
		"[a 1:i1]{b 2:i2]");
	check_seen("{\"frames\":[]}", "");
}

static void
test_frame_json_refuses_what_is_malformed(void **state)
{
	static const char *const bodies[] = {
		"",
		"[]",
		"{}x",
		"{\"frames\":{}}",
		"{\"frames\":[1]}",
		"{\"other\":1}",
		HEAD "\"time\":1" TAIL,
		HEAD "\"time\":[1.5]" TAIL,
		HEAD "\"what\":1" TAIL,
		HEAD "\"time\":[1],\"series\":[{\"name\":\"a\"}]" TAIL,
		HEAD "\"time\":[1],\"series\":[{\"value\":[1]}]" TAIL,
		HEAD "\"time\":[1],\"series\":[{\"name\":\"a\",\"value\":[1,2]"
		     "}]" TAIL,
		HEAD "\"series\":[{\"name\":\"a\",\"value\":[1]}]" TAIL,
		HEAD "\"series\":[{\"name\":\"a\",\"value\":[1],\"time\":[1],"
		     "\"status\":[]}]" TAIL,
		HEAD "\"series\":[{\"name\":\"a\",\"value\":[[1]]}]" TAIL,
		HEAD "\"events\":[{\"time\":1,\"kind\":\"k\"}]" TAIL,
		"{\"frames\":[{\"datasource\":\"x\"}]}",
		"{\"frames\":[{\"spool\":\"12\"}]}",
		"{\"frames\":[{\"sequence\":\"1\"}]}",
		HEAD "\"time\":[1]",
		HEAD "\"alarms\":[{}]" TAIL,
		HEAD "\"alarms\":[{\"kind\":\"came\"}]" TAIL,
		HEAD "\"alarms\":{}" TAIL,
		HEAD ALARM "\"kind\":\"left\"}]" TAIL,
		HEAD ALARM "\"flags\":[\"loud\"]}]" TAIL,
		HEAD ALARM "\"flags\":1}]" TAIL,
		HEAD ALARM "\"reactivations\":-1}]" TAIL,
		HEAD ALARM "\"reactivations\":4294967296}]" TAIL,
		HEAD ALARM "\"came\":\"now\"}]" TAIL,
		HEAD ALARM "\"value\":[]}]" TAIL,
		HEAD ALARM "\"variable\":null}]" TAIL,
		HEAD "\"events\":[{\"time\":1,\"kind\":\"k\",\"text\":\"\","
		     "\"username\":1}]" TAIL,
	};
	struct fault fault;
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(bodies); i++) {
		assert_int_equal(
			read_body(bodies[i], &seen, &fault), RC_BAD_INPUT);
		assert_string_equal(fault.code, "FrameMalformed");
		assert_true(fault.client[0] != '\0');
	}
}

static void
test_frame_json_limits_the_samples(void **state)
{
	static char body[400000];
	size_t used = (size_t)snprintf(body, sizeof(body), HEAD "\"time\":[0");
	struct fault fault;
	struct seen seen;

	(void)state;
	for (int i = 0; i < FRAME_SAMPLES_MAX; i++)
		used += (size_t)snprintf(
			body + used, sizeof(body) - used, ",0");
	snprintf(body + used, sizeof(body) - used, "]" TAIL);
	assert_int_equal(read_body(body, &seen, &fault), RC_TOO_LARGE);
	assert_string_equal(fault.code, "TooLarge");
}

static void
test_frame_json_converts_without_loss_or_not_at_all(void **state)
{
	struct value value = {.kind = VALUE_INT, .integer = 3};

	(void)state;
	assert_true(frame_json_convert(&value, VALUE_FLOAT));
	assert_true(value.number == 3);
	assert_false(frame_json_convert(&value, VALUE_INT));
	value = (struct value){.kind = VALUE_NONE};
	assert_false(frame_json_convert(&value, VALUE_BOOL));
	assert_true(frame_json_convert(&value, VALUE_FLOAT));
	assert_true(isnan(value.number));
	value = (struct value){
		.kind = VALUE_STRING, .string = {"-9223372036854775808", 20}};
	assert_true(frame_json_convert(&value, VALUE_INT));
	assert_true(value.integer == INT64_MIN);
	value = (struct value){
		.kind = VALUE_STRING, .string = {"9223372036854775808", 19}};
	assert_false(frame_json_convert(&value, VALUE_INT));
	value = (struct value){.kind = VALUE_STRING, .string = {"", 0}};
	assert_false(frame_json_convert(&value, VALUE_INT));
	value = (struct value){.kind = VALUE_STRING,
		.string = {"x", VALUE_STRING_BYTES_MAX + 1}};
	assert_false(frame_json_convert(&value, VALUE_STRING));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame_json_reads_columns),
		cmocka_unit_test(
			test_frame_json_takes_shared_times_that_come_last),
		cmocka_unit_test(test_frame_json_reads_events),
		cmocka_unit_test(test_frame_json_reads_alarm_changes),
		cmocka_unit_test(test_frame_json_starts_every_frame_afresh),
		cmocka_unit_test(test_frame_json_refuses_what_is_malformed),
		cmocka_unit_test(test_frame_json_limits_the_samples),
		cmocka_unit_test(
			test_frame_json_converts_without_loss_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
