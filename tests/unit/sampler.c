/* sampler: scaling, range, dead band, and what becomes of a full spool. */

#include "agents/sampler.h"
#include "agents/sender.h"
#include "lib/clock.h"
#include "model/frame.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct input
an_input(enum value_kind kind)
{
	return (struct input){.name = "x",
		.address = "x",
		.kind = kind,
		.scale = 1,
		.minimum = NAN,
		.maximum = NAN,
		.dead_band = NAN};
}

static struct value
float_value(double number)
{
	return (struct value){.kind = VALUE_FLOAT, .number = number};
}

static struct value
int_value(int64_t number)
{
	return (struct value){.kind = VALUE_INT, .integer = number};
}

static void
test_sampler_scales(void **state)
{
	struct input input = an_input(VALUE_FLOAT);
	struct value raw = int_value(250);
	struct value value;
	uint64_t status = 0;

	(void)state;
	input.scale = 0.1;
	input.offset = -5;
	assert_true(sampler_convert(&input, &raw, &value, &status));
	assert_true(value.number == 20);
	assert_int_equal(status, 0);
}

static void
test_sampler_keeps_integers_whole(void **state)
{
	struct input input = an_input(VALUE_INT);
	struct value raw = int_value(INT64_C(9007199254740993)); /* 2^53 + 1 */
	struct value value;
	uint64_t status = 0;

	(void)state;
	assert_true(sampler_convert(&input, &raw, &value, &status));
	assert_true(value.integer == INT64_C(9007199254740993));
	input.scale = 10000;
	assert_false(sampler_convert(&input, &raw, &value, &status));
	raw = float_value(1e19);
	assert_false(sampler_convert(&input, &raw, &value, &status));
	raw = float_value(NAN);
	assert_false(sampler_convert(&input, &raw, &value, &status));
}

static void
test_sampler_marks_what_is_out_of_range(void **state)
{
	struct input input = an_input(VALUE_FLOAT);
	struct value raw = float_value(101);
	struct value value;
	uint64_t status = 0;

	(void)state;
	input.minimum = 0;
	input.maximum = 100;
	assert_true(sampler_convert(&input, &raw, &value, &status));
	assert_true(value.number == 101); /* kept as it is */
	assert_true(status == STATUS_OV);
	raw = float_value(100);
	status = 0;
	assert_true(sampler_convert(&input, &raw, &value, &status));
	assert_int_equal(status, 0);
}

static void
test_sampler_does_not_mix_text_and_numbers(void **state)
{
	struct input input = an_input(VALUE_STRING);
	struct value raw = float_value(1);
	struct value value;
	uint64_t status = 0;

	(void)state;
	assert_false(sampler_convert(&input, &raw, &value, &status));
}

/* It would cost all samples of its frame. */
static void
test_sampler_takes_no_text_that_no_frame_holds(void **state)
{
	static const struct {
		const char *text;
		uint32_t bytes;
		bool good;
	} cases[] = {{"Gr\xc3\xb6\xc3\x9f"
		      "e",
			     7, true},
		{"Gr\xf6\xdf"
		 "e",
			5, false},
		{"a\0b", 3, false}, {"", 0, true}};
	struct input input = an_input(VALUE_STRING);

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct value raw = {.kind = VALUE_STRING};
		struct value value;
		uint64_t status = 0;

		raw.string.data = cases[i].text;
		raw.string.bytes = cases[i].bytes;
		assert_true(sampler_convert(&input, &raw, &value, &status) ==
			    cases[i].good);
	}
}

static bool
moved(double dead_band, double before, double now)
{
	struct input input = an_input(VALUE_FLOAT);
	struct value first = float_value(before);
	struct value second = float_value(now);

	input.dead_band = dead_band;
	return sampler_moved(&input, &first, &second);
}

static void
test_sampler_has_a_dead_band(void **state)
{
	(void)state;
	assert_true(moved(NAN, 1, 1)); /* no dead band: every sample */
	assert_false(moved(0, 1, 1));  /* 0: every change */
	assert_true(moved(0, 1, 1.0000001));
	assert_false(moved(0.5, 1, 1.5));
	assert_true(moved(0.5, 1, 1.51));
	assert_true(moved(0.5, 1, 0.49));
	assert_true(moved(0.5, 1, NAN));
	assert_true(moved(0.5, NAN, 1));
}

static void
test_sender_backs_off_with_jitter(void **state)
{
	(void)state;
	assert_int_equal(sender_backoff_us(1, 0), 250000);
	assert_int_equal(sender_backoff_us(1, 1), 500000);
	assert_int_equal(sender_backoff_us(3, 1), 2000000);
	assert_int_equal(sender_backoff_us(7, 1), 30000000);
	assert_int_equal(sender_backoff_us(1000000, 0), 15000000);
}

/* --- with a driver of our own and a real spool -----------------------------
 */

static char folder[64];
static int64_t polls; /* of the driver below */
static int64_t polls_max;
static size_t samples_per_poll;

static enum rc
fake_open(const struct driver_setup *setup, void **state, struct fault *fault)
{
	(void)fault;
	polls = setup->bookmark == SPOOL_NO_BOOKMARK ? 0 : setup->bookmark;
	*state = &polls;
	return RC_OK;
}

/* Numbers that count up, many of them, as fast as they are taken. */
static enum rc
fake_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	(void)state;
	(void)fault;
	for (size_t i = 0; i < samples_per_poll; i++) {
		struct value value = int_value(
			polls * (int64_t)samples_per_poll + (int64_t)i);

		sink->put(sink, 0, due_us + (int64_t)i, 0, &value);
	}
	polls++;
	*next_us = polls == polls_max ? DRIVER_FINISHED : due_us;
	return RC_OK;
}

static int64_t
fake_bookmark(const void *state)
{
	(void)state;
	return polls;
}

static void
fake_close(void *state)
{
	(void)state;
}

static const struct driver fake_driver = {
	.name = "fake",
	.replays = true,
	.open = fake_open,
	.poll = fake_poll,
	.bookmark = fake_bookmark,
	.close = fake_close,
};

static int
set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/fieldgrid-sampler-XXXXXX");
	return mkdtemp(folder) == NULL;
}

static int
tear_down(void **state)
{
	DIR *entries = opendir(folder);
	char path[512];

	(void)state;
	for (struct dirent *entry = readdir(entries); entry != NULL;
		entry = readdir(entries)) {
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		unlink(path);
	}
	closedir(entries);
	return rmdir(folder);
}

/* One input of id 5, its spool begun. */
static void
open_agent(struct agent *agent, struct input *input)
{
	struct fault fault;

	agent_init(agent);
	*input = an_input(VALUE_INT);
	input->id = 5;
	agent->list = (struct input_list){"x.csv", 1, input};
	agent->spool_folder = folder;
	assert_int_equal(
		spool_open(folder, 1024 * 1024, &agent->spool, &fault), RC_OK);
	if (spool_is_new(agent->spool))
		assert_int_equal(spool_begin(agent->spool, 1, &fault), RC_OK);
	agent->ready = true;
}

static void
run_fake(struct agent *agent, enum sampler_full when_full)
{
	struct sampler_options options = {.driver = &fake_driver,
		.period_us = CLOCK_SECOND_US,
		.refresh_us = CLOCK_SECOND_US,
		.frame_samples = 1,
		.when_full = when_full};
	struct sampler *sampler;
	struct fault fault;

	assert_int_equal(
		sampler_open(agent, &options, &sampler, &fault), RC_OK);
	sampler_run(sampler);
	sampler_close(sampler);
}

/* --- a source that wants to know what it may forget ---------------------- */

static struct {
	const struct agent *agent;
	int polls;
	int stored;       /* calls of stored ... */
	uint64_t on_disk; /* ... and the frames in the spool at the last */
	bool urgent;
} waiter;

static enum rc
waiter_poll(void *state, int64_t due_us, struct sink *sink, int64_t *next_us,
	struct fault *fault)
{
	struct value value = int_value(waiter.polls);

	(void)state;
	(void)fault;
	sink->put(sink, 0, due_us + waiter.polls, STATUS_GI, &value);
	sink->urgent = waiter.urgent;
	waiter.polls++;
	*next_us = waiter.polls == 3 ? DRIVER_FINISHED : due_us;
	return RC_OK;
}

static void
waiter_stored(void *state)
{
	struct spool_status status;

	(void)state;
	spool_status(waiter.agent->spool, &status);
	waiter.on_disk = status.frames;
	waiter.stored++;
}

static const struct driver waiter_driver = {
	.name = "waiter",
	.open = fake_open,
	.poll = waiter_poll,
	.stored = waiter_stored,
	.close = fake_close,
};

static void
run_waiter(struct agent *agent, bool urgent)
{
	struct sampler_options options = {.driver = &waiter_driver,
		.period_us = CLOCK_SECOND_US,
		.flush_us = CLOCK_MINUTE_US,
		.refresh_us = CLOCK_SECOND_US,
		.frame_samples = 1000};
	struct sampler *sampler;
	struct fault fault;

	waiter.agent = agent;
	waiter.urgent = urgent;
	waiter.polls = waiter.stored = 0;
	agent->finished = false;
	assert_int_equal(
		sampler_open(agent, &options, &sampler, &fault), RC_OK);
	sampler_run(sampler);
	sampler_close(sampler);
}

static void
test_sampler_tells_a_driver_what_is_on_the_disk(void **state)
{
	struct input input;
	struct agent agent;

	(void)state;
	open_agent(&agent, &input);
	run_waiter(&agent, true);
	assert_int_equal(waiter.stored, 3); /* a frame for each poll */
	assert_int_equal(waiter.on_disk, 3);
	run_waiter(&agent, false);
	assert_int_equal(waiter.stored, 1); /* one frame for all, at the end */
	assert_int_equal(waiter.on_disk, 4);
	agent_destroy(&agent);
}

struct tally {
	int64_t expected; /* the next number */
	int64_t gaps;
	size_t overflows;
	size_t lost_events;
	size_t alarms[ALARM_CHANGE_KINDS + 1]; /* by kind */
};

static void
count_frame(struct tally *tally, const char *data, size_t length,
	struct arena *arena)
{
	struct frame_head head;
	struct frame_content content;
	struct fault fault;

	assert_int_equal(
		frame_decode(data, length, arena, &head, &content, &fault),
		RC_OK);
	for (size_t i = 0; i < content.sample_count; i++) {
		const struct sample *sample = &content.samples[i];

		assert_int_equal(sample->variable_id, 5);
		assert_true(sample->status & STATUS_SPONT);
		assert_true(sample->value.integer >= tally->expected);
		tally->gaps += sample->value.integer != tally->expected;
		tally->expected = sample->value.integer + 1;
		tally->overflows += (sample->status & STATUS_OV) != 0;
	}
	for (size_t i = 0; i < content.alarm_count; i++) {
		assert_int_equal(content.alarms[i].variable_id, 5);
		assert_string_equal(content.alarms[i].limit, "limit");
		tally->alarms[content.alarms[i].kind]++;
	}
	for (size_t i = 0; i < content.event_count; i++)
		tally->lost_events +=
			strcmp(content.events[i].kind, "samples_lost") == 0;
}

/* What the hub would get. */
static struct tally
drain(struct agent *agent)
{
	struct tally tally = {0};
	struct spool_batch batch;
	struct fault fault;
	struct buf out;

	buf_init(&out, 0);
	while (spool_read(agent->spool, 1, 1, &out, &batch, &fault) == RC_OK) {
		struct arena *arena = arena_new();

		count_frame(&tally, out.data, out.length, arena);
		spool_acknowledge(agent->spool, batch.last_sequence);
		buf_clear(&out);
		arena_free(arena);
	}
	buf_free(&out);
	return tally;
}

static void
test_sampler_spools_every_number(void **state)
{
	struct agent agent;
	struct input input;
	struct tally tally;

	(void)state;
	open_agent(&agent, &input);
	samples_per_poll = 10;
	polls_max = 50;
	run_fake(&agent, SAMPLER_DROP_OLDEST);
	assert_true(agent.finished);
	tally = drain(&agent);
	assert_int_equal(tally.expected, 500);
	assert_int_equal(tally.gaps, 0);
	assert_int_equal(tally.overflows, 0);
	agent_destroy(&agent);
}

static void
test_sampler_goes_on_at_the_bookmark(void **state)
{
	struct agent agent;
	struct input input;
	struct tally tally;

	(void)state;
	samples_per_poll = 10;
	for (polls_max = 20; polls_max <= 60; polls_max += 20) {
		open_agent(&agent, &input);
		run_fake(&agent, SAMPLER_DROP_OLDEST);
		agent_destroy(&agent);
	}
	open_agent(&agent, &input);
	tally = drain(&agent);
	assert_int_equal(tally.expected, 600);
	assert_int_equal(tally.gaps, 0);
	agent_destroy(&agent);
}

static void
test_sampler_tells_what_it_drops(void **state)
{
	struct agent agent;
	struct input input;
	struct spool_status status;
	struct tally tally;

	(void)state;
	open_agent(&agent, &input);
	samples_per_poll = 10000;
	polls_max = 250;
	run_fake(&agent, SAMPLER_DROP_OLDEST);
	spool_status(agent.spool, &status);
	assert_true(status.lost_samples > 0);
	assert_true(status.bytes <= 1024 * 1024);
	tally = drain(&agent);
	assert_int_equal(tally.expected, 2500000);
	assert_int_equal(tally.gaps, 1);
	assert_true(tally.overflows > 0);
	assert_true(tally.lost_events > 0);
	agent_destroy(&agent);
}

/* --- alarms --------------------------------------------------------------- */

static void
watch(struct agent *agent, struct alarm_limit *limit,
	enum alarm_condition condition, double value)
{
	*limit = alarm_limit_default();
	limit->variable = "x";
	limit->name = "limit";
	limit->condition = condition;
	limit->value = value;
	agent->limits.own = (struct alarm_limit_list){1, limit};
}

static void
test_sampler_tells_each_alarm_once(void **state)
{
	struct alarm_limit limit;
	struct agent agent;
	struct input input;
	struct tally tally;

	(void)state;
	samples_per_poll = 10;
	for (polls_max = 5; polls_max <= 60; polls_max += 5) {
		open_agent(&agent, &input);
		watch(&agent, &limit, ALARM_BIT, 4);
		run_fake(&agent, SAMPLER_DROP_OLDEST);
		agent_destroy(&agent);
	}
	open_agent(&agent, &input);
	tally = drain(&agent);
	assert_int_equal(tally.expected, 600);
	/* 16 to 31, 48 to 63, … 592 on. */
	assert_int_equal(tally.alarms[ALARM_CAME], 19);
	assert_int_equal(tally.alarms[ALARM_WENT], 18);
	assert_int_equal(tally.alarms[ALARM_CHANGED], 0);
	agent_destroy(&agent);
}

static void
test_sampler_evaluates_what_it_does_not_send(void **state)
{
	struct alarm_limit limit;
	struct agent agent;
	struct input input;
	struct tally tally;

	(void)state;
	open_agent(&agent, &input);
	input.dead_band = 1000000;
	watch(&agent, &limit, ALARM_BIT, 0);
	samples_per_poll = 10;
	polls_max = 10;
	run_fake(&agent, SAMPLER_DROP_OLDEST);
	tally = drain(&agent);
	assert_int_equal(tally.expected, 1); /* only the first was sent */
	assert_int_equal(tally.alarms[ALARM_CAME], 50);
	assert_int_equal(tally.alarms[ALARM_WENT], 49);
	agent_destroy(&agent);
}

static void
test_sampler_tells_alarms_again_after_a_loss(void **state)
{
	struct alarm_limit limit;
	struct agent agent;
	struct input input;
	struct tally tally;

	(void)state;
	open_agent(&agent, &input);
	watch(&agent, &limit, ALARM_GREATER, -1);
	samples_per_poll = 10000;
	polls_max = 250;
	run_fake(&agent, SAMPLER_DROP_OLDEST);
	tally = drain(&agent);
	assert_true(tally.lost_events > 0);
	assert_int_equal(tally.alarms[ALARM_CAME], 0);
	assert_true(tally.alarms[ALARM_CHANGED] > 0);
	agent_destroy(&agent);
}

static void *
run_until_stop(void *context)
{
	struct agent *agent = context;

	run_fake(agent, SAMPLER_STOP);
	return NULL;
}

static void
test_sampler_can_wait_for_room(void **state)
{
	struct agent agent;
	struct input input;
	struct spool_status status;
	struct tally tally;
	pthread_t thread;

	(void)state;
	open_agent(&agent, &input);
	samples_per_poll = 10000;
	polls_max = 250;
	assert_int_equal(
		pthread_create(&thread, NULL, run_until_stop, &agent), 0);
	do {
		usleep(10000);
		spool_status(agent.spool, &status);
	} while (status.bytes < 1000 * 1000);
	usleep(100000);
	assert_int_equal(status.lost_samples, 0);
	tally = drain(&agent);
	agent_set(&agent, &agent.stopping);
	pthread_join(thread, NULL);
	assert_int_equal(tally.gaps, 0);
	assert_true(tally.expected >= 100 * 10000);
	agent_destroy(&agent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sampler_scales),
		cmocka_unit_test(test_sampler_keeps_integers_whole),
		cmocka_unit_test(test_sampler_marks_what_is_out_of_range),
		cmocka_unit_test(test_sampler_does_not_mix_text_and_numbers),
		cmocka_unit_test(
			test_sampler_takes_no_text_that_no_frame_holds),
		cmocka_unit_test(test_sampler_has_a_dead_band),
		cmocka_unit_test_setup_teardown(
			test_sampler_tells_a_driver_what_is_on_the_disk, set_up,
			tear_down),
		cmocka_unit_test(test_sender_backs_off_with_jitter),
		TEST(test_sampler_spools_every_number),
		TEST(test_sampler_goes_on_at_the_bookmark),
		TEST(test_sampler_tells_what_it_drops),
		TEST(test_sampler_tells_each_alarm_once),
		TEST(test_sampler_evaluates_what_it_does_not_send),
		TEST(test_sampler_tells_alarms_again_after_a_loss),
		TEST(test_sampler_can_wait_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
