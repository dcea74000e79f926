/* alarm_keep: whatever moment an agent ends in, the state and the frames in
 * the spool belong together. */

#include "agents/alarm_keep.h"
#include "agents/spool.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SPOOL_ID 77

static char folder[64];
static struct buf state;

static int
set_up(void **context)
{
	(void)context;
	snprintf(folder, sizeof(folder), "/tmp/fieldgrid-keep-XXXXXX");
	assert_non_null(mkdtemp(folder));
	buf_init(&state, 0);
	return 0;
}

static int
tear_down(void **context)
{
	DIR *open_folder = opendir(folder);

	(void)context;
	for (const struct dirent *entry = readdir(open_folder); entry != NULL;
		entry = readdir(open_folder)) {
		char path[400];

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] != '.')
			unlink(path);
	}
	closedir(open_folder);
	rmdir(folder);
	buf_free(&state);
	return 0;
}

static struct alarm_keep
open_keep(int64_t next_sequence)
{
	struct alarm_keep keep;
	struct fault fault = {0};

	buf_clear(&state);
	assert_int_equal(alarm_keep_open(&keep, folder, SPOOL_ID, next_sequence,
				 &state, &fault),
		RC_OK);
	return keep;
}

static void
write_state(struct alarm_keep *keep, int64_t sequence, const char *text)
{
	struct fault fault = {0};
	struct buf data;

	buf_init(&data, 0);
	buf_text(&data, text);
	assert_int_equal(
		alarm_keep_write(keep, sequence, &data, &fault), RC_OK);
	buf_free(&data);
}

static const char *
text(void)
{
	return state.length > 0 ? state.data : "";
}

static void
test_keep_counts_with_its_frame(void **context)
{
	struct alarm_keep keep = open_keep(1);

	(void)context;
	assert_string_equal(text(), "");
	write_state(&keep, 1, "one");
	write_state(&keep, 2, "two");
	open_keep(3); /* frame 2 is in the spool */
	assert_string_equal(text(), "two");
	open_keep(2); /* it did not get there */
	assert_string_equal(text(), "one");
	open_keep(3); /* and never counts any more, whatever gets its number */
	assert_string_equal(text(), "one");
}

static void
test_keep_takes_turns(void **context)
{
	struct alarm_keep keep = open_keep(1);
	char name[16];

	(void)context;
	for (int64_t i = 1; i < 20; i += 3) {
		snprintf(name, sizeof(name), "state %d", (int)i);
		write_state(&keep, i, "tried, and the disk was full");
		write_state(&keep, i, name);
		keep = open_keep(i + 1);
		assert_string_equal(text(), name);
	}
}

static void
test_keep_is_of_one_spool(void **context)
{
	struct alarm_keep keep = open_keep(1);
	struct alarm_keep other;
	struct fault fault;

	(void)context;
	write_state(&keep, 1, "one");
	buf_clear(&state);
	assert_int_equal(alarm_keep_open(&other, folder, SPOOL_ID + 1, 9,
				 &state, &fault),
		RC_OK);
	assert_string_equal(text(), "");
}

static void
test_keep_does_without_a_damaged_file(void **context)
{
	struct alarm_keep keep = open_keep(1);
	char path[128];
	int fd;

	(void)context;
	write_state(&keep, 1, "one");
	write_state(&keep, 2, "two");
	snprintf(path, sizeof(path), "%s/alarms.%d", folder,
		keep.sequences[0] == 2 ? 0 : 1);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, ALARM_KEEP_HEAD_BYTES), 1);
	close(fd);
	open_keep(3);
	assert_string_equal(text(), "one");
}

/* --- with a spool, ended at every moment ---------------------------------- */

enum moment { BEFORE, KEPT, APPENDED, MOMENTS };

static unsigned
pick(unsigned count)
{
	static uint64_t random = 20261121;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return (unsigned)(random % count);
}

/* A number counts up in the state whenever it does in the spool's frames. */
static int64_t
store(struct alarm_keep *keep, struct spool *spool, int64_t count,
	enum moment last)
{
	struct fault fault = {0};
	int64_t sequence = spool_next_sequence(spool);
	char number[32];
	struct spool_record record = {.sequence = sequence,
		.bookmark = count + 1,
		.samples = 1,
		.length = 5,
		.frame = "frame"};

	snprintf(number, sizeof(number), "%d", (int)count + 1);
	if (last == BEFORE)
		return count;
	write_state(keep, sequence, number);
	if (last == KEPT)
		return count;
	assert_int_equal(spool_append(spool, &record, &fault), RC_OK);
	return count + 1;
}

static struct spool *
open_spool(struct fault *fault)
{
	struct spool *spool;

	assert_int_equal(spool_open(folder, 64 << 20, &spool, fault), RC_OK);
	if (spool_is_new(spool))
		assert_int_equal(spool_begin(spool, 1, fault), RC_OK);
	return spool;
}

static void
test_keep_and_spool_belong_together(void **context)
{
	int64_t count = 0;

	(void)context;
	for (int round = 0; round < 40; round++) {
		struct fault fault = {0};
		struct spool *spool = open_spool(&fault);
		struct alarm_keep keep;

		buf_clear(&state);
		assert_int_equal(
			alarm_keep_open(&keep, folder, spool_id(spool),
				spool_next_sequence(spool), &state, &fault),
			RC_OK);
		assert_int_equal(atoi(text()), count);
		if (count > 0)
			assert_int_equal(spool_bookmark(spool), count);
		for (unsigned i = pick(5); i > 0; i--)
			count = store(&keep, spool, count, APPENDED);
		count = store(&keep, spool, count, (enum moment)pick(MOMENTS));
		spool_close(spool);
	}
	assert_true(count > 20);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_keep_counts_with_its_frame),
		TEST(test_keep_takes_turns),
		TEST(test_keep_is_of_one_spool),
		TEST(test_keep_does_without_a_damaged_file),
		TEST(test_keep_and_spool_belong_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
