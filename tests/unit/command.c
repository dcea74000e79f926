/* command: a command's value, its way into an agent, the journal, and the
 * bound on the hub's clock that decides whether it is too late. */

#include "tests/unit/unit.h"

#include <json-c/json.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/command_journal.h"
#include "agents/command_order.h"
#include "agents/hub_time.h"
#include "lib/clock.h"
#include "lib/field.h"
#include "lib/log.h"
#include "lib/sse.h"
#include "model/command_value.h"

#define S CLOCK_SECOND_US

static const uint8_t boot[UUID_BYTES] = {1};
static const uint8_t other_boot[UUID_BYTES] = {2};

/* --- values ----------------------------------------------------------------
 */

static enum rc
read_value(struct arena *arena, enum value_kind kind, const char *json,
	struct value *value)
{
	const char *text = arena_printf(arena, "[%s]", json);
	struct json_object *list = NULL;
	struct fault fault;

	assert_int_equal(
		json_parse(arena, text, strlen(text), &list, &fault), RC_OK);
	return command_value_read(arena, kind,
		json_object_array_get_idx(list, 0), "value", value, &fault);
}

static void
test_command_value_takes_text_and_refuses_what_does_not_fit(void **state)
{
	static const struct {
		enum value_kind kind;
		const char *json;
		bool good;
		double number;
	} cases[] = {
		{VALUE_FLOAT, "\"20\"", true, 20},
		{VALUE_FLOAT, "-1.5e3", true, -1500},
		{VALUE_FLOAT, "\"1e400\"", false, 0},
		{VALUE_FLOAT, "\"inf\"", false, 0},
		{VALUE_FLOAT, "\"0x1p3\"", false, 0},
		{VALUE_FLOAT, "\"1 \"", false, 0},
		{VALUE_FLOAT, "\"\"", false, 0},
		{VALUE_FLOAT, "\"-\"", false, 0},
		{VALUE_FLOAT, "true", false, 0},
		{VALUE_INT, "7.0", true, 7},
		{VALUE_INT, "7.5", false, 0},
		{VALUE_INT, "\"2e1\"", true, 20},
		{VALUE_INT, "\"9223372036854775807\"", true,
			9223372036854775807.0},
		{VALUE_INT, "9223372036854775807", true, 9223372036854775807.0},
		{VALUE_INT, "9223372036854775808", false, 0},
		{VALUE_INT, "-9223372036854775809", false, 0},
		{VALUE_INT, "1e300", false, 0},
		{VALUE_INT, "\"-9223372036854775808\"", true,
			-9223372036854775808.0},
		{VALUE_BOOL, "1", true, 1},
		{VALUE_BOOL, "0.0", true, 0},
		{VALUE_BOOL, "0.5", false, 0},
		{VALUE_BOOL, "\"OFF\"", true, 0},
		{VALUE_BOOL, "\"Yes\"", true, 1},
		{VALUE_BOOL, "\"2\"", false, 0},
		{VALUE_BOOL, "null", false, 0},
		{VALUE_FLOAT, "1000000000000000000000000", false, 0},
		{VALUE_FLOAT, "-1000000000000000000000000", false, 0},
		{VALUE_FLOAT, "1e24", true, 1e24},
		{VALUE_FLOAT, "18446744073709551614", true,
			18446744073709551614.0},
		{VALUE_FLOAT, "\"1\\u00002\"", false, 0},
		{VALUE_INT, "\"1\\u00002\"", false, 0},
		{VALUE_BOOL, "\"on\\u0000off\"", false, 0},
		{VALUE_STRING, "\"a\\u0000b\"", false, 0},
		{VALUE_STRING, "1000000000000000000000000", false, 0},
		{VALUE_STRING, "[]", false, 0},
		{VALUE_STRING, "null", false, 0},
	};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct value value;
		enum rc rc =
			read_value(arena, cases[i].kind, cases[i].json, &value);

		if ((rc == RC_OK) != cases[i].good)
			fail_msg("%s of kind %d", cases[i].json,
				(int)cases[i].kind);
		if (cases[i].good && value_number(&value) != cases[i].number)
			fail_msg("%s is %g", cases[i].json,
				value_number(&value));
	}
	arena_free(arena);
}

static void
test_command_value_compares_as_it_is_shown(void **state)
{
	const struct value a = {.kind = VALUE_FLOAT, .number = 20.04};
	const struct value b = {.kind = VALUE_FLOAT, .number = 20.0};
	const struct value c = {.kind = VALUE_INT, .integer = 20};

	(void)state;
	assert_true(command_value_same(&a, &b, 1));
	assert_false(command_value_same(&a, &b, 2));
	assert_false(command_value_same(&b, &c, 0));
}

/* --- the hub's clock -------------------------------------------------------
 */

static void
test_hub_time_is_never_behind_the_hub(void **state)
{
	struct hub_time time = {.known = false};

	(void)state;
	srand(1);
	assert_int_equal(hub_time_latest(&time, boot, 0), INT64_MAX);
	/* Exchanges of any delay on the way there or back, between clocks that
	 * drift: the bound holds always, and is not worse than the delays. */
	for (int round = 0; round < 20000; round++) {
		int64_t asked_us = (int64_t)round * 2 * S;
		int64_t there_us = rand() % (3 * S);
		int64_t back_us = rand() % (3 * S);
		int64_t hub_us = asked_us + there_us +
				 (asked_us + there_us) / 1000000 * 100 + 77 * S;
		int64_t now_us = asked_us + there_us + back_us;
		int64_t real_us = now_us + now_us / 1000000 * 100 + 77 * S;

		hub_time_note(&time, boot, hub_us, asked_us, now_us);
		assert_true(hub_time_latest(&time, boot, now_us) >= real_us);
		assert_true(hub_time_latest(&time, boot, now_us) <=
			    real_us + 3 * S + S / 100);
	}
	assert_int_equal(
		hub_time_latest(&time, other_boot, 50000 * S), INT64_MAX);
}

static void
test_hub_time_forgets_what_is_contradicted(void **state)
{
	struct hub_time time = {.known = false};

	(void)state;
	hub_time_note(&time, boot, 1000 * S, 10 * S, 11 * S);
	assert_true(hub_time_latest(&time, boot, 12 * S) < 1003 * S);
	/* This machine was stopped for an hour and does not know. */
	hub_time_check(&time, boot, 4600 * S, 13 * S);
	assert_int_equal(hub_time_latest(&time, boot, 13 * S), INT64_MAX);
	hub_time_note(&time, boot, 1000 * S, 10 * S, 11 * S);
	hub_time_note(&time, boot, 4600 * S, 13 * S, 14 * S);
	assert_true(hub_time_latest(&time, boot, 14 * S) >= 4600 * S);
	/* Another start of the hub's machine. */
	hub_time_note(&time, other_boot, 5 * S, 15 * S, 16 * S);
	assert_int_equal(hub_time_latest(&time, boot, 16 * S), INT64_MAX);
	assert_true(hub_time_latest(&time, other_boot, 16 * S) >= 6 * S);
}

/* --- events ----------------------------------------------------------------
 */

static void
collect(void *context, const char *name, const char *data, size_t length)
{
	struct buf *out = context;

	buf_printf(out, "%s=%s(%zu);", name, data, length);
}

/* Whatever pieces they come in. */
static void
test_sse_reads_events_from_any_pieces(void **state)
{
	static const char text[] = ": hello\n\nevent: a\ndata: 1\ndata:2\n\n"
				   "data:  x\r\n\r\nevent: none\n\nid: 7\n"
				   "event:b\ndata\n\ndata: open";

	(void)state;
	for (size_t step = 1; step < sizeof(text); step++) {
		struct buf out;
		struct sse sse;

		buf_init(&out, 0);
		sse_init(&sse, 64);
		sse.take = collect;
		sse.context = &out;
		for (size_t at = 0; at < sizeof(text) - 1; at += step)
			sse_feed(&sse, text + at,
				at + step < sizeof(text) - 1
					? step
					: sizeof(text) - 1 - at);
		assert_string_equal(out.data, "a=1\n2(3);message= x(2);b=(0);");
		sse_free(&sse);
		buf_free(&out);
	}
}

static void
test_sse_leaves_out_what_is_too_long(void **state)
{
	struct buf out;
	struct sse sse;

	(void)state;
	buf_init(&out, 0);
	sse_init(&sse, 16);
	sse.take = collect;
	sse.context = &out;
	for (int i = 0; i < 3; i++)
		sse_feed(&sse, "data: 0123456789\n", 17);
	sse_feed(&sse, "\ndata: ok\n\n", 11);
	sse_feed(&sse, "data: 01234567890123456789\n\ndata: b\n\n", 37);
	assert_string_equal(out.data, "message=ok(2);message=b(1);");
	sse_free(&sse);
	buf_free(&out);
}

static void
test_command_order_names_what_it_cannot_read(void **state)
{
	static const char good[] =
		"{\"id\":\"6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001\","
		"\"datasource\":\"6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1002\","
		"\"variable\":\"a\",\"value\":1,"
		"\"boot\":\"6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1003\","
		"\"sent\":1,\"expires\":2}";
	static const char *const bad[] = {"", "[]", "1", "{}", "{\"id\":1}",
		"{\"id\":\"x\",\"datasource\":\"x\",\"variable\":\"a\","
		"\"value\":1,\"boot\":\"x\",\"sent\":1,\"expires\":2}"};
	struct arena *arena = arena_new();
	struct command_order order;
	struct fault fault;

	(void)state;
	assert_int_equal(
		command_order_read(arena, good, strlen(good), &order, &fault),
		RC_OK);
	assert_string_equal(order.variable, "a");
	assert_int_equal(order.expires_us, 2);
	assert_null(order.expected);
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		assert_int_equal(command_order_read(arena, bad[i],
					 strlen(bad[i]), &order, &fault),
			RC_BAD_INPUT);
	arena_free(arena);
}

static void
test_command_outcome_tells_what_is_known(void **state)
{
	static const struct {
		enum rc rc;
		bool begun;
		const char *state;
		const char *code;
	} cases[] = {
		{RC_OK, true, "confirmed", ""},
		{RC_CONFLICT, false, "refused", "OldValueDiffers"},
		{RC_CONFLICT, true, "failed", "ValueDiffers"},
		{RC_UPSTREAM, false, "refused", "DeviceRefused"},
		{RC_UNAVAILABLE, false, "failed", "DeviceOffline"},
		{RC_IO, true, "failed", "Unconfirmed"},
		{RC_BUG, true, "failed", "Unconfirmed"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		const struct sampler_result result = {.rc = cases[i].rc,
			.begun = cases[i].begun,
			.why = "why"};
		struct command_outcome outcome = command_outcome_of(&result);

		assert_string_equal(outcome.state, cases[i].state);
		assert_string_equal(outcome.code, cases[i].code);
	}
}

/* --- journal ---------------------------------------------------------------
 */

struct place {
	char folder[64];
	char path[128];
};

static struct place
make_place(void)
{
	struct place place = {.folder = "/tmp/fieldgrid-journal-XXXXXX"};

	assert_non_null(mkdtemp(place.folder));
	snprintf(place.path, sizeof(place.path), "%s/commands", place.folder);
	return place;
}

static void
drop_place(const struct place *place)
{
	unlink(place->path);
	assert_int_equal(rmdir(place->folder), 0);
}

static struct command_journal *
open_journal(const struct place *place)
{
	struct command_journal *journal = NULL;
	struct fault fault;

	assert_int_equal(
		command_journal_open(place->path, &journal, &fault), RC_OK);
	return journal;
}

static void
note(struct command_journal *journal, uint8_t id, enum command_step step,
	const char *text)
{
	struct command_entry entry = {
		.step = step, .text = (char *)(uintptr_t)text};
	struct fault fault;

	entry.id[0] = id;
	assert_int_equal(
		command_journal_note(journal, &entry, 1, &fault), RC_OK);
}

static const struct command_entry *
look(const struct command_journal *journal, uint8_t id)
{
	uint8_t uuid[UUID_BYTES] = {id};

	return command_journal_find(journal, uuid);
}

static void
test_journal_keeps_every_step_over_a_restart(void **state)
{
	struct place place = make_place();
	struct command_journal *journal = open_journal(&place);

	(void)state;
	assert_null(look(journal, 1));
	note(journal, 1, COMMAND_BEGUN, NULL);
	note(journal, 2, COMMAND_BEGUN, NULL);
	note(journal, 2, COMMAND_DONE, "{\"a\":1}");
	note(journal, 3, COMMAND_BEGUN, NULL);
	note(journal, 3, COMMAND_DONE, "{}");
	note(journal, 3, COMMAND_TOLD, NULL);
	for (int round = 0; round < 3; round++) {
		command_journal_close(journal);
		journal = open_journal(&place);
		assert_int_equal(look(journal, 1)->step, COMMAND_BEGUN);
		assert_int_equal(look(journal, 2)->step, COMMAND_DONE);
		assert_string_equal(look(journal, 2)->text, "{\"a\":1}");
		assert_int_equal(look(journal, 3)->step, COMMAND_TOLD);
		assert_null(look(journal, 4));
	}
	command_journal_close(journal);
	drop_place(&place);
}

static off_t
file_bytes(const struct place *place)
{
	struct stat facts;

	assert_int_equal(stat(place->path, &facts), 0);
	return facts.st_size;
}

/* Whatever of the last record a power cut left: the others stand. */
static void
test_journal_stands_a_torn_record(void **state)
{
	struct place place = make_place();
	struct command_journal *journal = open_journal(&place);
	off_t whole;
	off_t torn;

	(void)state;
	note(journal, 1, COMMAND_BEGUN, NULL);
	whole = file_bytes(&place);
	command_journal_close(journal);
	for (torn = whole + 1;; torn++) {
		journal = open_journal(&place);
		note(journal, 2, COMMAND_DONE, "{}");
		command_journal_close(journal);
		if (torn >= file_bytes(&place))
			break;
		assert_int_equal(truncate(place.path, torn), 0);
		journal = open_journal(&place);
		assert_int_equal(look(journal, 1)->step, COMMAND_BEGUN);
		assert_null(look(journal, 2));
		assert_int_equal(file_bytes(&place), whole);
		command_journal_close(journal);
	}
	drop_place(&place);
}

static void
test_journal_forgets_only_what_is_told_and_old(void **state)
{
	struct place place = make_place();
	struct command_journal *journal = open_journal(&place);
	int64_t now_us = clock_boot_us();

	(void)state;
	note(journal, 1, COMMAND_BEGUN, NULL);
	note(journal, 2, COMMAND_DONE, "{}");
	note(journal, 3, COMMAND_TOLD, NULL);
	command_journal_forget(journal, now_us + 300 * S);
	assert_non_null(look(journal, 3));
	command_journal_forget(journal, now_us + 400 * S);
	assert_null(look(journal, 3));
	assert_non_null(look(journal, 1));
	assert_non_null(look(journal, 2));
	command_journal_close(journal);
	drop_place(&place);
}

/* Old records are written away, and the file stays small. */
/* A disk that takes no more than "bytes" of a file. */
static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static enum rc
try_note(struct command_journal *journal, uint8_t id, enum command_step step)
{
	struct command_entry entry = {.step = step, .id = {id}};
	struct fault fault;

	return command_journal_note(journal, &entry, 1, &fault);
}

static void
test_journal_loses_nothing_on_a_full_disk(void **state)
{
	struct place place = make_place();
	struct command_journal *journal = open_journal(&place);
	char text[2001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 200; i++) /* due to be written anew */
		note(journal, 1, COMMAND_DONE, text);
	note(journal, 2, COMMAND_BEGUN, NULL);
	limit_files((rlim_t)file_bytes(&place) + 10);
	assert_int_not_equal(try_note(journal, 3, COMMAND_BEGUN), RC_OK);
	limit_files(100);
	command_journal_forget(journal, clock_boot_us()); /* cannot either */
	assert_int_not_equal(try_note(journal, 4, COMMAND_BEGUN), RC_OK);
	assert_null(look(journal, 4));
	command_journal_close(journal);

	journal = open_journal(&place); /* on the full disk */
	assert_int_not_equal(try_note(journal, 5, COMMAND_BEGUN), RC_OK);
	assert_int_equal(look(journal, 2)->step, COMMAND_BEGUN);
	limit_files(RLIM_INFINITY);
	assert_int_equal(try_note(journal, 6, COMMAND_BEGUN), RC_OK);
	command_journal_close(journal);

	journal = open_journal(&place);
	assert_int_equal(look(journal, 1)->step, COMMAND_DONE);
	assert_int_equal(look(journal, 2)->step, COMMAND_BEGUN);
	assert_int_equal(look(journal, 6)->step, COMMAND_BEGUN);
	assert_null(look(journal, 3));
	command_journal_close(journal);
	drop_place(&place);
}

static void
test_journal_stays_small(void **state)
{
	struct place place = make_place();
	struct command_journal *journal = open_journal(&place);
	char text[2001];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		note(journal, 1, COMMAND_DONE, text);
		command_journal_forget(journal, clock_boot_us());
	}
	assert_true(file_bytes(&place) < 300 * 1024);
	assert_int_equal(look(journal, 1)->step, COMMAND_DONE);
	command_journal_close(journal);
	drop_place(&place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_command_value_takes_text_and_refuses_what_does_not_fit),
		cmocka_unit_test(test_command_value_compares_as_it_is_shown),
		cmocka_unit_test(test_hub_time_is_never_behind_the_hub),
		cmocka_unit_test(test_hub_time_forgets_what_is_contradicted),
		cmocka_unit_test(test_sse_reads_events_from_any_pieces),
		cmocka_unit_test(test_sse_leaves_out_what_is_too_long),
		cmocka_unit_test(test_command_order_names_what_it_cannot_read),
		cmocka_unit_test(test_command_outcome_tells_what_is_known),
		cmocka_unit_test(test_journal_keeps_every_step_over_a_restart),
		cmocka_unit_test(test_journal_stands_a_torn_record),
		cmocka_unit_test(
			test_journal_forgets_only_what_is_told_and_old),
		cmocka_unit_test(test_journal_stays_small),
		cmocka_unit_test(test_journal_loses_nothing_on_a_full_disk),
	};

	log_open("command", LOG_ERROR); /* torn records are told each time */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
