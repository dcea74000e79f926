/* driver_csv: rows of a file become samples, each exactly once. */

#include "agents/driver.h"
#include "agents/ingress_conf.h"
#include "lib/clock.h"
#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct driver driver_csv;

struct got {
	size_t index;
	int64_t time_us;
	struct value value;
	char text[32];
};

static char folder[64];
static struct got got[64];
static size_t got_count;
static struct fault fault;

static void
take(struct sink *sink, size_t index, int64_t time_us, uint64_t status,
	const struct value *raw)
{
	struct got *one = &got[got_count++];

	(void)sink;
	(void)status;
	assert_true(got_count < 64);
	one->index = index;
	one->time_us = time_us;
	one->value = *raw;
	if (raw->kind == VALUE_STRING)
		snprintf(one->text, sizeof(one->text), "%s", raw->string.data);
}

static int
set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/fieldgrid-replay-XXXXXX");
	got_count = 0;
	return mkdtemp(folder) == NULL;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {"data.csv", "v.csv", "a.conf"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

struct run {
	struct arena *arena;
	struct ingress_conf *conf;
	struct input_list list;
	void *state;
};

/* Through the real configuration, as the agent does it. */
static enum rc
open_run(struct run *run, const char *options, int64_t bookmark)
{
	char path[128];
	char text[1024];
	struct driver_setup setup = {.bookmark = bookmark};
	enum rc rc;

	snprintf(text, sizeof(text),
		"[hub]\nurl = https://h\nca = c\ncertificate = c\nkey = k\n"
		"client_id = i\nclient_secret = s\n[spool]\nfolder = s\n"
		"[agent]\ndatasource = 6f1d0a52-8c1e-4a57-9a51-0b7c2f5d1001\n"
		"variables = v.csv\ndriver = csv\n"
		"[csv]\nfile = data.csv\n%s",
		options);
	write_file("a.conf", text);
	memset(run, 0, sizeof(*run));
	run->arena = arena_new();
	snprintf(path, sizeof(path), "%s/a.conf", folder);
	rc = ingress_conf_load(run->arena, path, &run->conf, &fault);
	if (rc == RC_OK)
		rc = input_list_load(run->arena, run->conf->variables, NULL,
			&run->list, &fault);
	if (rc != RC_OK)
		return rc;
	setup.list = &run->list;
	setup.options = run->conf->driver_options;
	setup.arena = run->arena;
	return driver_csv.open(&setup, &run->state, &fault);
}

static void
close_run(struct run *run)
{
	if (run->state != NULL)
		driver_csv.close(run->state);
	arena_free(run->arena);
}

static enum rc
poll_at(struct run *run, int64_t now_us, int64_t *next_us)
{
	struct sink sink = {.put = take};

	return driver_csv.poll(run->state, now_us, &sink, next_us, &fault);
}

static int64_t
at(const char *time)
{
	int64_t time_us;

	assert_true(clock_parse(time, &time_us));
	return time_us;
}

static void
test_driver_csv_reads_columns_of_all_types(void **state)
{
	struct run run;
	int64_t next_us;

	(void)state;
	write_file("v.csv", "name,address,type\nf,F,float\ni,I,int\n"
			    "b,B,bool\ns,S,string\n");
	write_file("data.csv", "time,F,I,B,S,unused\n"
			       "2026-01-02T03:04:05Z,1.5,9007199254740993,yes,"
			       "\"a,b\",x\n"
			       "2026-01-02 03:04:06.25,,,,\n");
	assert_int_equal(
		open_run(&run, "speed = 0\nat_end = stop\n", SPOOL_NO_BOOKMARK),
		RC_OK);
	assert_int_equal(poll_at(&run, 0, &next_us), RC_OK);
	assert_true(next_us == DRIVER_FINISHED);
	assert_int_equal(got_count, 5); /* an empty text is text */
	assert_true(got[0].time_us == at("2026-01-02T03:04:05Z"));
	assert_true(got[0].value.number == 1.5);
	assert_true(got[1].value.integer == INT64_C(9007199254740993));
	assert_true(got[2].value.boolean);
	assert_string_equal(got[3].text, "a,b");
	assert_true(got[4].time_us == at("2026-01-02T03:04:06.25Z"));
	close_run(&run);
}

static void
test_driver_csv_reads_the_long_format(void **state)
{
	struct run run;
	int64_t next_us;

	(void)state;
	write_file("v.csv", "name,address,type\nx,T1,float\ny,T2,float\n");
	write_file("data.csv", "when;tag;val\n"
			       "31.12.2025 23:00:00;T2;1,5\n"
			       "31.12.2025 23:00:01;T9;7\n"
			       "31.12.2025 23:00:02;T1;-2,25\n");
	assert_int_equal(
		open_run(&run,
			"speed = 0\nat_end = stop\ntime_column = when\n"
			"name_column = tag\nvalue_column = val\n"
			"decimal_comma = yes\ntime_zone = Europe/Vienna\n"
			"time_format = %d.%m.%Y %H:%M:%S\n",
			SPOOL_NO_BOOKMARK),
		RC_OK);
	assert_int_equal(poll_at(&run, 0, &next_us), RC_OK);
	assert_int_equal(got_count, 2);
	assert_int_equal(got[0].index, 1);
	assert_true(got[0].value.number == 1.5);
	assert_true(got[0].time_us == at("2025-12-31T22:00:00Z"));
	assert_int_equal(got[1].index, 0);
	assert_true(got[1].value.number == -2.25);
	close_run(&run);
}

static const char three_rows[] = "time,x\n"
				 "2026-01-01T00:00:00Z,1\n"
				 "2026-01-01T00:00:10Z,2\n"
				 "2026-01-01T00:00:20Z,3\n";

static void
test_driver_csv_replays_in_time(void **state)
{
	struct run run;
	int64_t start_us = at("2026-05-05T05:05:05Z");
	int64_t next_us;

	(void)state;
	write_file("v.csv", "name,type\nx,int\n");
	write_file("data.csv", three_rows);
	assert_int_equal(
		open_run(&run, "speed = 2\ntimes = now\n", SPOOL_NO_BOOKMARK),
		RC_OK);
	assert_int_equal(poll_at(&run, start_us, &next_us), RC_OK);
	assert_int_equal(got_count, 1);
	assert_true(next_us == start_us + 5 * CLOCK_SECOND_US);
	assert_int_equal(
		poll_at(&run, start_us + CLOCK_SECOND_US, &next_us), RC_OK);
	assert_int_equal(got_count, 1);
	/* Late by a second: the stamp is that of the plan. */
	assert_int_equal(
		poll_at(&run, next_us + CLOCK_SECOND_US, &next_us), RC_OK);
	assert_int_equal(got_count, 2);
	assert_true(got[1].time_us == start_us + 5 * CLOCK_SECOND_US);
	close_run(&run);
}

static void
test_driver_csv_goes_on_when_the_clock_is_set_back(void **state)
{
	struct run run;
	int64_t start_us = at("2026-05-05T05:05:05Z");
	int64_t back_us = start_us - CLOCK_HOUR_US;
	int64_t next_us;

	(void)state;
	write_file("v.csv", "name,type\nx,int\n");
	write_file("data.csv", three_rows);
	assert_int_equal(
		open_run(&run, "times = now\n", SPOOL_NO_BOOKMARK), RC_OK);
	assert_int_equal(poll_at(&run, start_us, &next_us), RC_OK);
	assert_int_equal(poll_at(&run, back_us, &next_us), RC_OK);
	assert_int_equal(got_count, 1);
	assert_true(next_us == back_us + 10 * CLOCK_SECOND_US);
	close_run(&run);
}

static void
test_driver_csv_goes_on_at_the_bookmark(void **state)
{
	struct run run;
	int64_t next_us;
	int64_t bookmark = SPOOL_NO_BOOKMARK;

	(void)state;
	write_file("v.csv", "name,type\nx,int\n");
	write_file("data.csv", three_rows);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			open_run(&run, "speed = 1\n", bookmark), RC_OK);
		assert_int_equal(poll_at(&run, 0, &next_us), RC_OK);
		bookmark = driver_csv.bookmark(run.state);
		assert_int_equal(got_count, i + 1);
		assert_int_equal(got[i].value.integer, i + 1);
		close_run(&run);
	}
}

static void
test_driver_csv_waits_for_the_rest_of_a_row(void **state)
{
	struct run run;
	int64_t next_us;

	(void)state;
	write_file("v.csv", "name,type\nx,int\n");
	write_file("data.csv", "time,x\n2026-01-01T00:00:00Z,1");
	assert_int_equal(
		open_run(&run, "speed = 0\n", SPOOL_NO_BOOKMARK), RC_OK);
	assert_int_equal(poll_at(&run, 0, &next_us), RC_OK);
	assert_int_equal(got_count, 0);
	write_file("data.csv", "time,x\n2026-01-01T00:00:00Z,12\n");
	assert_int_equal(poll_at(&run, next_us, &next_us), RC_OK);
	assert_int_equal(got_count, 1);
	assert_int_equal(got[0].value.integer, 12);
	close_run(&run);
}

static void
test_driver_csv_repeats(void **state)
{
	struct run run;
	int64_t next_us = 1000;

	(void)state;
	write_file("v.csv", "name,type\nx,int\n");
	write_file("data.csv", three_rows);
	assert_int_equal(
		open_run(&run, "speed = 10\ntimes = now\nat_end = repeat\n",
			SPOOL_NO_BOOKMARK),
		RC_OK);
	for (int i = 0; i < 9; i++)
		assert_int_equal(poll_at(&run, next_us, &next_us), RC_OK);
	assert_true(got_count >= 6);
	assert_int_equal(got[3].value.integer, 1);
	close_run(&run);
}

static void
refuse(const char *options, const char *data, const char *words)
{
	struct run run;
	int64_t next_us;
	enum rc rc;

	write_file("v.csv", "name,type\nx,int\n");
	write_file("data.csv", data);
	rc = open_run(&run, options, SPOOL_NO_BOOKMARK);
	if (rc == RC_OK)
		rc = poll_at(&run, 0, &next_us);
	assert_int_equal(rc, RC_BAD_INPUT);
	if (strstr(fault.text, words) == NULL)
		fail_msg("\"%s\" does not hold \"%s\"", fault.text, words);
	close_run(&run);
}

static void
test_driver_csv_says_what_is_wrong(void **state)
{
	(void)state;
	refuse("", "", "data.csv:1:1: the file is empty");
	refuse("", "t,x\n", "there is no column \"time\"");
	refuse("", "time,y\n", "v.csv:2:1: ");
	refuse("", "time,x\n1.2.2026,5\n",
		"data.csv:2:1: \"1.2.2026\" is not a time in the format iso");
	refuse("", "time,x\n2026-01-01T00:00:00Z,five\n",
		"data.csv:2:22: \"five\" is no int");
	refuse("speed = fast\n", three_rows, "[csv] speed = fast");
	refuse("time_zone = Middle/Earth\n", three_rows,
		"[csv] time_zone = Middle/Earth");
	refuse("at_end = repeat\n", three_rows, "needs times = now");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_driver_csv_reads_columns_of_all_types),
		TEST(test_driver_csv_reads_the_long_format),
		TEST(test_driver_csv_replays_in_time),
		TEST(test_driver_csv_goes_on_when_the_clock_is_set_back),
		TEST(test_driver_csv_goes_on_at_the_bookmark),
		TEST(test_driver_csv_waits_for_the_rest_of_a_row),
		TEST(test_driver_csv_repeats),
		TEST(test_driver_csv_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
