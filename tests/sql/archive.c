/* archive: what each kind of archive makes of the same samples. */

#include "tests/unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "model/archive_read.h"
#include "model/history.h"
#include "tests/sql/cluster.h"
#include "tests/sql/oracle.h"

#define T0   INT64_C(1700000040000000) /* a whole minute */
#define S(n) ((int64_t)(n)*CLOCK_SECOND_US)

static const struct stmt *const oracle_sets[] = {oracle_stmts, NULL};
static const struct stmt *const reader_sets[] = {
	archive_stmts, history_stmts, NULL};

/* One line per value: "name second value status", for easy comparison. */
struct fixture {
	struct db *owner;
	struct db *reader;
	struct oracle oracle;
	struct arena *arena;
	struct fault fault;
	struct variable variables[ORACLE_VARIABLES];
	char text[4096];
	const struct variable *current;
};

static int
setup(void **state)
{
	static const char *const names[ORACLE_VARIABLES] = {
		"flag", "level", "count", "label"};
	static struct fixture fixture;
	static int serial;
	char name[32];

	memset(&fixture, 0, sizeof(fixture));
	fixture.owner = cluster_open("fieldgrid_owner", oracle_sets);
	fixture.reader = cluster_open("fieldgrid_api", reader_sets);
	fixture.arena = arena_new();
	snprintf(name, sizeof(name), "plant %d", serial++);
	oracle_open(&fixture.oracle, fixture.owner, name);
	for (size_t i = 0; i < ORACLE_VARIABLES; i++)
		fixture.variables[i] =
			(struct variable){.id = fixture.oracle.ids[i],
				.name = names[i],
				.kind = (enum value_kind)(i + 1)};
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *fixture = *state;

	oracle_close(&fixture->oracle);
	arena_free(fixture->arena);
	db_close(fixture->owner);
	db_close(fixture->reader);
	return 0;
}

enum { FLAG, LEVEL, COUNT, LABEL };

static struct sample
level(int64_t second, double number, uint64_t status, struct fixture *fixture)
{
	return (struct sample){.variable_id = fixture->oracle.ids[LEVEL],
		.time_us = T0 + S(second),
		.status = status,
		.value = {.kind = VALUE_FLOAT, .number = number}};
}

static struct sample
label(int64_t second, const char *text, struct fixture *fixture)
{
	return (struct sample){.variable_id = fixture->oracle.ids[LABEL],
		.time_us = T0 + S(second),
		.value = {.kind = VALUE_STRING,
			.string = {text, (uint32_t)strlen(text)}}};
}

/* --- reading ------------------------------------------------------------- */

static void PRINTF_LIKE(2, 3)
	add_line(struct fixture *fixture, const char *format, ...)
{
	size_t used = strlen(fixture->text);
	va_list args;

	va_start(args, format);
	vsnprintf(fixture->text + used, sizeof(fixture->text) - used, format,
		args);
	va_end(args);
}

static enum rc
take_variable(
	void *context, const struct variable *variable, struct fault *fault)
{
	struct fixture *fixture = context;

	(void)fault;
	fixture->current = variable;
	add_line(fixture, "%s:", variable->name);
	return RC_OK;
}

static enum rc
take_sample(void *context, const struct sample *sample, struct fault *fault)
{
	struct fixture *fixture = context;
	double second = (double)(sample->time_us - T0) / 1e6;

	(void)fault;
	assert_int_equal(sample->variable_id, fixture->current->id);
	if (sample->value.kind == VALUE_STRING)
		add_line(fixture, " %g=%.*s", second,
			(int)sample->value.string.bytes,
			sample->value.string.data);
	else
		add_line(fixture, " %g=%g", second,
			value_number(&sample->value));
	if ((sample->status & STATUS_BAD) != 0)
		add_line(fixture, "!");
	return RC_OK;
}

static enum rc
try_read(struct fixture *fixture, const struct archive *archive,
	const struct archive_request *request)
{
	struct archive_request whole = *request;

	whole.archive = archive;
	if (whole.samples_max == 0)
		whole.samples_max = 1000000;
	fixture->text[0] = '\0';
	return archive_read(fixture->reader, fixture->arena, &whole,
		&(struct archive_visitor){take_variable, take_sample, fixture},
		&fixture->fault);
}

/* The values of "level" from second "from" to second "to", both inclusive. */
static const char *
read_level(struct fixture *fixture, const struct archive *archive, int64_t from,
	int64_t to)
{
	enum rc rc = try_read(fixture, archive,
		&(struct archive_request){
			.variables = &fixture->variables[LEVEL],
			.count = 1,
			.from_us = T0 + S(from),
			.to_us = T0 + S(to),
		});

	if (rc != RC_OK)
		fail_msg("%s", fixture->fault.text);
	return fixture->text;
}

static const struct archive raw = {.rule = ARCHIVE_SPONTANEOUS};

/* A value every ten seconds: 0, 10, 20, … up to and with "last". */
static void
send_ramp(struct fixture *fixture, int64_t last)
{
	struct sample samples[128];
	size_t count = 0;

	for (int64_t second = 0; second <= last; second += 10)
		samples[count++] = level(second, (double)second, 0, fixture);
	oracle_send(&fixture->oracle, samples, count);
}

/* --- spontaneous --------------------------------------------------------- */

static void
test_archive_spontaneous_has_both_ends(void **state)
{
	struct fixture *fixture = *state;

	send_ramp(fixture, 50);
	assert_string_equal(
		read_level(fixture, &raw, 10, 30), "level: 10=10 20=20 30=30");
	assert_string_equal(read_level(fixture, &raw, 11, 19), "level:");
}

static void
test_archive_tells_every_variable_even_without_values(void **state)
{
	struct fixture *fixture = *state;
	const struct sample samples[] = {
		level(1, 1, 0, fixture), label(2, "x", fixture)};

	oracle_send(&fixture->oracle, samples, 2);
	assert_int_equal(try_read(fixture, &raw,
				 &(struct archive_request){
					 .variables = fixture->variables,
					 .count = ORACLE_VARIABLES,
					 .from_us = T0,
					 .to_us = T0 + S(9),
				 }),
		RC_OK);
	assert_string_equal(fixture->text, "flag:level: 1=1count:label: 2=x");
}

static void
test_archive_says_when_there_is_too_much(void **state)
{
	struct fixture *fixture = *state;
	struct archive_request request = {
		.variables = &fixture->variables[LEVEL],
		.count = 1,
		.from_us = T0,
		.to_us = T0 + S(100),
		.samples_max = 6,
	};

	send_ramp(fixture, 50);
	assert_int_equal(try_read(fixture, &raw, &request), RC_OK);
	request.samples_max = 5;
	assert_int_equal(try_read(fixture, &raw, &request), RC_TOO_LARGE);
	assert_string_equal(fixture->fault.code, "TooManySamples");
}

/* --- cyclic -------------------------------------------------------------- */

static void
test_archive_cyclic_has_what_held(void **state)
{
	static const struct archive cyclic = {
		.rule = ARCHIVE_CYCLIC, .cycle_s = 15};
	struct fixture *fixture = *state;
	const struct sample late[] = {
		level(70, 7, STATUS_INVALID, fixture),
	};

	send_ramp(fixture, 50);
	oracle_send(&fixture->oracle, late, 1);
	assert_string_equal(read_level(fixture, &cyclic, 0, 60),
		"level: 0=0 15=10 30=30 45=40 60=50");
	assert_string_equal(read_level(fixture, &cyclic, 31, 75),
		"level: 45=40 60=50 75=7!");
	assert_string_equal(read_level(fixture, &cyclic, -60, -1), "level:");
}

static void
test_archive_cyclic_keeps_text_apart(void **state)
{
	static const struct archive cyclic = {
		.rule = ARCHIVE_CYCLIC, .cycle_s = 10};
	struct fixture *fixture = *state;
	const struct sample samples[] = {label(1, "first", fixture),
		label(12, "", fixture), label(25, "second", fixture)};

	oracle_send(&fixture->oracle, samples, 3);
	assert_int_equal(
		try_read(fixture, &cyclic,
			&(struct archive_request){
				.variables = &fixture->variables[LABEL],
				.count = 1,
				.from_us = T0,
				.to_us = T0 + S(30),
			}),
		RC_OK);
	assert_string_equal(fixture->text, "label: 10=first 20= 30=second");
}

static void
test_archive_cyclic_knows_no_future(void **state)
{
	static const struct archive cyclic = {
		.rule = ARCHIVE_CYCLIC, .cycle_s = 60};
	struct fixture *fixture = *state;
	int64_t now_us = clock_now_us();
	struct sample sample = level(0, 1, 0, fixture);

	sample.time_us = now_us - S(300);
	oracle_send(&fixture->oracle, &sample, 1);
	assert_int_equal(
		try_read(fixture, &cyclic,
			&(struct archive_request){
				.variables = &fixture->variables[LEVEL],
				.count = 1,
				.from_us = now_us - S(300),
				.to_us = now_us + S(3000),
				.samples_max = 6,
			}),
		RC_OK);
}

/* --- aggregated ---------------------------------------------------------- */

static struct archive
aggregate(const struct archive *parent, enum archive_calculation calculation,
	int64_t cycle_s)
{
	return (struct archive){.parent = parent,
		.calculation = calculation,
		.cycle_s = cycle_s};
}

static void
test_archive_aggregates_carry_the_end_of_their_cycle(void **state)
{
	struct fixture *fixture = *state;
	struct archive sum = aggregate(&raw, ARCHIVE_SUM, 60);
	struct archive average = aggregate(&raw, ARCHIVE_AVERAGE, 60);
	struct archive minimum = aggregate(&raw, ARCHIVE_MINIMUM, 60);
	struct archive maximum = aggregate(&raw, ARCHIVE_MAXIMUM, 60);

	send_ramp(fixture, 120);
	assert_string_equal(
		read_level(fixture, &sum, 0, 120), "level: 60=150 120=510");
	assert_string_equal(
		read_level(fixture, &average, 0, 120), "level: 60=25 120=85");
	assert_string_equal(
		read_level(fixture, &maximum, 0, 120), "level: 60=50 120=110");
	assert_string_equal(
		read_level(fixture, &minimum, 61, 179), "level: 120=60");
	assert_string_equal(read_level(fixture, &sum, 61, 119), "level:");
}

static void
test_archive_aggregates_leave_out_what_is_not_good(void **state)
{
	struct fixture *fixture = *state;
	struct archive sum = aggregate(&raw, ARCHIVE_SUM, 60);
	struct archive maximum = aggregate(&raw, ARCHIVE_MAXIMUM, 60);
	const struct sample samples[] = {
		level(0, 1, 0, fixture),
		level(10, 1000, STATUS_INVALID, fixture),
		level(20, 2, 0, fixture),
		level(59, 9, STATUS_OFF, fixture),
		level(130, 5, 0, fixture),
		level(150, (double)NAN, 0, fixture),
	};

	oracle_send(&fixture->oracle, samples, ARRAY_LENGTH(samples));
	assert_string_equal(
		read_level(fixture, &sum, 0, 180), "level: 60=3 180=5");
	assert_string_equal(
		read_level(fixture, &maximum, 0, 180), "level: 60=2 180=5");
}

static void
test_archive_cascades_weigh_averages_by_good_time(void **state)
{
	struct fixture *fixture = *state;
	struct archive minutes = aggregate(&raw, ARCHIVE_AVERAGE, 60);
	struct archive pairs = aggregate(&minutes, ARCHIVE_AVERAGE, 120);
	const struct sample samples[] = {
		level(0, 10, 0, fixture),
		level(20, 0, STATUS_INVALID, fixture),
		level(60, 50, 0, fixture),
		level(120, 0, STATUS_INVALID, fixture),
	};

	oracle_send(&fixture->oracle, samples, ARRAY_LENGTH(samples));
	assert_string_equal(
		read_level(fixture, &minutes, 0, 120), "level: 60=10 120=50");
	/* (10 x 20 s + 50 x 60 s) / 80 s */
	assert_string_equal(
		read_level(fixture, &pairs, 0, 120), "level: 120=40");
}

static void
test_archive_cascades_fold_their_parent(void **state)
{
	struct fixture *fixture = *state;
	struct archive sums = aggregate(&raw, ARCHIVE_SUM, 20);
	struct archive total = aggregate(&sums, ARCHIVE_SUM, 60);
	struct archive most = aggregate(&sums, ARCHIVE_MAXIMUM, 60);
	struct archive least = aggregate(&sums, ARCHIVE_MINIMUM, 60);
	struct archive mean = aggregate(&sums, ARCHIVE_AVERAGE, 60);
	struct archive deep = aggregate(&most, ARCHIVE_SUM, 120);

	send_ramp(fixture, 110); /* sums of 20 s: 10 50 90 130 170 210 */
	assert_string_equal(
		read_level(fixture, &total, 0, 120), "level: 60=150 120=510");
	assert_string_equal(
		read_level(fixture, &most, 0, 120), "level: 60=90 120=210");
	assert_string_equal(
		read_level(fixture, &least, 0, 120), "level: 60=10 120=130");
	assert_string_equal(
		read_level(fixture, &mean, 0, 120), "level: 60=50 120=170");
	assert_string_equal(
		read_level(fixture, &deep, 0, 120), "level: 120=300");
}

static void
test_archive_aggregates_know_no_unfinished_cycle(void **state)
{
	struct fixture *fixture = *state;
	struct archive hours = aggregate(&raw, ARCHIVE_SUM, 3600);
	int64_t now_us = clock_now_us();
	int64_t hour_us = now_us / CLOCK_HOUR_US * CLOCK_HOUR_US;
	struct sample samples[] = {
		level(0, 1, 0, fixture), level(0, 2, 0, fixture)};

	samples[0].time_us = hour_us - S(10);
	samples[1].time_us = hour_us;
	oracle_send(&fixture->oracle, samples, 2);
	assert_int_equal(
		try_read(fixture, &hours,
			&(struct archive_request){
				.variables = &fixture->variables[LEVEL],
				.count = 1,
				.from_us = hour_us - CLOCK_DAY_US,
				.to_us = hour_us + CLOCK_DAY_US,
				.samples_max = 1,
			}),
		RC_OK);
	assert_non_null(strstr(fixture->text, "=1"));
}

static void
test_archive_says_when_there_are_too_many_cycles(void **state)
{
	struct fixture *fixture = *state;
	struct archive seconds = aggregate(&raw, ARCHIVE_SUM, 1);
	struct archive_request request = {
		.variables = &fixture->variables[LEVEL],
		.count = 1,
		.to_us = T0 + S(HISTORY_CYCLES_MAX),
	};

	request.from_us = T0 + S(1);
	assert_int_equal(try_read(fixture, &seconds, &request), RC_OK);
	request.from_us = T0;
	assert_int_equal(try_read(fixture, &seconds, &request), RC_TOO_LARGE);
	request.from_us = 0;
	assert_int_equal(try_read(fixture, &seconds, &request), RC_TOO_LARGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_archive_spontaneous_has_both_ends),
		TEST(test_archive_tells_every_variable_even_without_values),
		TEST(test_archive_says_when_there_is_too_much),
		TEST(test_archive_cyclic_has_what_held),
		TEST(test_archive_cyclic_keeps_text_apart),
		TEST(test_archive_cyclic_knows_no_future),
		TEST(test_archive_aggregates_carry_the_end_of_their_cycle),
		TEST(test_archive_aggregates_leave_out_what_is_not_good),
		TEST(test_archive_cascades_weigh_averages_by_good_time),
		TEST(test_archive_cascades_fold_their_parent),
		TEST(test_archive_aggregates_know_no_unfinished_cycle),
		TEST(test_archive_says_when_there_are_too_many_cycles),
	};

	cluster_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
