/* spool: nothing is lost, nothing comes twice, whatever breaks. */

#include "agents/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"

#include <cmocka.h>

#define MIB ((uint64_t)1024 * 1024)

static char folder[64];
static struct fault fault;

static int
set_up(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/fieldgrid-spool-XXXXXX");
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

static struct spool *
open_spool(uint64_t limit_bytes)
{
	struct spool *spool;

	assert_int_equal(
		spool_open(folder, limit_bytes, &spool, &fault), RC_OK);
	return spool;
}

static struct spool *
new_spool(uint64_t limit_bytes)
{
	struct spool *spool = open_spool(limit_bytes);

	assert_true(spool_is_new(spool));
	assert_int_equal(spool_begin(spool, 1, &fault), RC_OK);
	return spool;
}

/* A frame of "length" bytes that begins with its number. */
static enum rc
append(struct spool *spool, uint32_t length)
{
	int64_t sequence = spool_next_sequence(spool);
	char *frame = calloc(1, length + 32);
	struct spool_record record = {.sequence = sequence,
		.bookmark = sequence * 10,
		.first_us = sequence * 1000,
		.last_us = sequence * 1000 + 5,
		.samples = 3,
		.length = length,
		.frame = frame};
	enum rc rc;

	snprintf(frame, 32, "<%lld>", (long long)sequence);
	rc = spool_append(spool, &record, &fault);
	free(frame);
	return rc;
}

static void
append_all(struct spool *spool, int count, uint32_t length)
{
	for (int i = 0; i < count; i++)
		assert_int_equal(append(spool, length), RC_OK);
}

/* Sends everything like a sender does; returns the frames got. */
static size_t
drain(struct spool *spool, int64_t *first, int64_t *last)
{
	struct buf out;
	struct spool_batch batch;
	size_t frames = 0;

	buf_init(&out, 0);
	while (spool_read(spool, 7, 64 * 1024, &out, &batch, &fault) == RC_OK) {
		if (frames == 0)
			*first = batch.first_sequence;
		else
			assert_int_equal(batch.first_sequence, *last + 1);
		*last = batch.last_sequence;
		frames += batch.frames;
		spool_acknowledge(spool, batch.last_sequence);
		buf_clear(&out);
	}
	buf_free(&out);
	return frames;
}

static size_t
count_files(void)
{
	DIR *entries = opendir(folder);
	size_t count = 0;

	for (struct dirent *entry = readdir(entries); entry != NULL;
		entry = readdir(entries))
		count += strstr(entry->d_name, ".segment") != NULL;
	closedir(entries);
	return count;
}

static void
test_spool_gives_back_what_went_in(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct spool_batch batch;
	struct buf out;

	(void)state;
	append_all(spool, 3, 20);
	buf_init(&out, 0);
	assert_int_equal(
		spool_read(spool, 64, MIB, &out, &batch, &fault), RC_OK);
	assert_int_equal(batch.frames, 3);
	assert_int_equal(batch.first_sequence, 1);
	assert_int_equal(batch.last_sequence, 3);
	assert_int_equal(out.length, 60);
	assert_memory_equal(out.data + 20, "<2>", 4);
	buf_free(&out);
	spool_close(spool);
}

static void
test_spool_repeats_until_acknowledged(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct spool_batch batch;
	struct spool_status status;
	struct buf out;

	(void)state;
	append_all(spool, 5, 20);
	buf_init(&out, 0);
	for (int i = 0; i < 2; i++) {
		buf_clear(&out);
		assert_int_equal(
			spool_read(spool, 2, MIB, &out, &batch, &fault), RC_OK);
		assert_int_equal(batch.first_sequence, 1);
		assert_int_equal(batch.last_sequence, 2);
	}
	spool_acknowledge(spool, 1);
	buf_clear(&out);
	assert_int_equal(
		spool_read(spool, 2, MIB, &out, &batch, &fault), RC_OK);
	assert_int_equal(batch.first_sequence, 2);
	spool_status(spool, &status);
	assert_int_equal(status.frames, 4);
	assert_int_equal(status.oldest_us, 2000);
	spool_acknowledge(spool, 5);
	spool_status(spool, &status);
	assert_int_equal(status.frames, 0);
	assert_true(status.oldest_us == CLOCK_NEVER);
	buf_free(&out);
	spool_close(spool);
}

static void
test_spool_survives_a_restart(void **state)
{
	struct spool *spool = new_spool(MIB);
	uint64_t id = spool_id(spool);
	int64_t first;
	int64_t last;

	(void)state;
	append_all(spool, 9, 50);
	spool_close(spool);
	spool = open_spool(MIB);
	assert_false(spool_is_new(spool));
	assert_true(spool_id(spool) == id);
	assert_int_equal(spool_next_sequence(spool), 10);
	assert_int_equal(spool_bookmark(spool), 90);
	assert_int_equal(spool_resume(spool, 4, id, &fault), RC_OK);
	assert_int_equal(drain(spool, &first, &last), 5);
	assert_int_equal(first, 5);
	assert_int_equal(last, 9);
	spool_close(spool);
}

static void
test_spool_removes_only_what_is_acknowledged(void **state)
{
	struct spool *spool = new_spool(MIB); /* segments of 64 KiB */
	size_t files;

	(void)state;
	append_all(spool, 40, 10000);
	files = count_files();
	assert_true(files >= 6);
	spool_acknowledge(spool, 5);
	assert_int_equal(count_files(), files);
	spool_acknowledge(spool, 6);
	assert_int_equal(count_files(), files - 1);
	spool_acknowledge(spool, 40);
	assert_int_equal(count_files(), 1);
	spool_close(spool);
	spool = open_spool(MIB);
	assert_int_equal(spool_next_sequence(spool), 41);
	assert_int_equal(spool_bookmark(spool), 400);
	spool_close(spool);
}

/* A kill can cut the last write anywhere. */
static void
test_spool_cuts_a_torn_record_at_every_byte(void **state)
{
	char path[256];
	char whole[1024];
	ssize_t length;
	struct spool *spool = new_spool(MIB);
	int fd;

	(void)state;
	append_all(spool, 3, 30);
	spool_close(spool);
	snprintf(path, sizeof(path), "%s/%019d.segment", folder, 1);
	fd = open(path, O_RDWR);
	length = read(fd, whole, sizeof(whole));
	assert_int_equal(
		length, SPOOL_HEADER_BYTES + 3 * (SPOOL_RECORD_BYTES + 30));
	for (ssize_t cut = SPOOL_HEADER_BYTES; cut <= length; cut++) {
		int64_t kept =
			(cut - SPOOL_HEADER_BYTES) / (SPOOL_RECORD_BYTES + 30);
		int64_t first;
		int64_t last;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, whole, (size_t)cut, 0), cut);
		spool = open_spool(MIB);
		assert_int_equal(spool_next_sequence(spool), kept + 1);
		append_all(spool, 1, 30);
		assert_int_equal(drain(spool, &first, &last), kept + 1);
		assert_int_equal(last, kept + 1);
		spool_close(spool);
	}
	close(fd);
}

static void
test_spool_notices_every_flipped_byte(void **state)
{
	char path[256];
	struct spool *spool = new_spool(MIB);
	int fd;

	(void)state;
	append_all(spool, 1, 30);
	spool_close(spool);
	snprintf(path, sizeof(path), "%s/%019d.segment", folder, 1);
	fd = open(path, O_RDWR);
	for (off_t at = SPOOL_HEADER_BYTES;
		at < SPOOL_HEADER_BYTES + SPOOL_RECORD_BYTES + 30; at++) {
		uint8_t bytes[SPOOL_RECORD_BYTES + 30];
		struct spool_record record;
		size_t total;

		assert_int_equal(
			pread(fd, bytes, sizeof(bytes), SPOOL_HEADER_BYTES),
			sizeof(bytes));
		assert_int_equal(spool_record_parse(bytes, sizeof(bytes),
					 &record, &total, &fault),
			RC_OK);
		bytes[at - SPOOL_HEADER_BYTES] ^= 0x10;
		assert_int_equal(spool_record_parse(bytes, sizeof(bytes),
					 &record, &total, &fault),
			RC_BAD_INPUT);
	}
	close(fd);
}

static void
test_spool_goes_on_behind_a_damaged_segment(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct spool_loss loss;
	struct spool_status status;
	char path[256];
	int64_t first;
	int64_t last;
	int fd;

	(void)state;
	append_all(spool, 12, 10000); /* six to a segment */
	snprintf(path, sizeof(path), "%s/%019d.segment", folder, 1);
	fd = open(path, O_RDWR);
	/* The fourth frame of the first segment. */
	assert_int_equal(pwrite(fd, "x", 1, 64 + 3 * 10048 + 500), 1);
	close(fd);
	assert_int_equal(drain(spool, &first, &last), 3);
	assert_int_equal(last, 3);
	assert_int_equal(drain(spool, &first, &last), 6);
	assert_int_equal(first, 7);
	assert_int_equal(last, 12);
	assert_true(spool_lost(spool, &loss));
	assert_int_equal(loss.frames, 3);
	assert_int_equal(count_files(), 2); /* one is kept aside */
	append_all(spool, 1, 10);
	spool_told(spool, &loss);
	spool_close(spool);

	spool = open_spool(MIB);
	spool_status(spool, &status);
	assert_int_equal(status.lost_samples, 9);
	spool_close(spool);
}

/* A few bytes of the segment that begins with "first". */
static void
damage_at(int64_t first, off_t offset)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%019lld.segment", folder,
		(long long)first);
	fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, offset), 4);
	close(fd);
}

static void
test_spool_goes_on_behind_segments_of_which_nothing_is_left(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct spool_batch batch;
	struct buf out;

	(void)state;
	append_all(spool, 30, 10000); /* six to a segment */
	spool_close(spool);
	damage_at(1, SPOOL_HEADER_BYTES); /* its first record */
	damage_at(13, SPOOL_HEADER_BYTES);
	spool = open_spool(MIB);
	buf_init(&out, 0);
	assert_int_equal(
		spool_read(spool, 64, MIB, &out, &batch, &fault), RC_OK);
	assert_int_equal(batch.first_sequence, 7);
	assert_int_equal(batch.last_sequence, 30);
	assert_int_equal(batch.frames, 18);
	assert_int_equal(spool_drop_oldest(spool, &fault), RC_OK);
	buf_clear(&out);
	assert_int_equal(
		spool_read(spool, 64, MIB, &out, &batch, &fault), RC_OK);
	assert_int_equal(batch.first_sequence, 19);
	buf_free(&out);
	spool_close(spool);
}

static void
test_spool_reads_segments_whose_header_is_damaged(void **state)
{
	struct spool *spool = new_spool(MIB);
	uint64_t id = spool_id(spool);
	struct spool_batch batch;
	struct buf out;

	(void)state;
	append_all(spool, 30, 10000); /* six to a segment */
	spool_close(spool);
	damage_at(1, 0);
	damage_at(13, 0);
	spool = open_spool(MIB);
	assert_true(spool_id(spool) == id);
	buf_init(&out, 0);
	assert_int_equal(
		spool_read(spool, 64, MIB, &out, &batch, &fault), RC_OK);
	assert_int_equal(batch.first_sequence, 1);
	assert_int_equal(batch.frames, 30);
	buf_free(&out);
	spool_close(spool);
	damage_at(25, 0); /* the newest, which says whose spool it is */
	assert_int_equal(spool_open(folder, MIB, &spool, &fault), RC_BAD_INPUT);
}

static void
test_spool_is_full_at_its_limit(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct spool_status status;
	struct spool_loss loss;
	struct spool_loss again;
	int64_t first;
	int64_t last;
	int count = 0;

	(void)state;
	while (append(spool, 10000) == RC_OK)
		count++;
	assert_int_equal(fault.rc, RC_UNAVAILABLE);
	assert_in_range(count, 90, 105);
	assert_int_equal(spool_drop_oldest(spool, &fault), RC_OK);
	assert_true(spool_lost(spool, &loss));
	assert_int_equal(loss.frames, 6);
	assert_int_equal(loss.samples, 18);
	assert_int_equal(loss.first_us, 1000);
	assert_int_equal(loss.last_us, 6005);
	assert_int_equal(append(spool, 10000), RC_OK);
	spool_close(spool);

	spool = open_spool(MIB); /* a crash before it was told */
	assert_true(spool_lost(spool, &again));
	assert_int_equal(again.samples, 18);
	spool_status(spool, &status);
	assert_int_equal(status.lost_samples, 18);
	spool_told(spool, &again);
	assert_false(spool_lost(spool, &again));
	assert_int_equal(drain(spool, &first, &last), count - 5);
	assert_int_equal(first, 7);
	spool_close(spool);

	spool = open_spool(MIB);
	assert_false(spool_lost(spool, &again));
	spool_status(spool, &status);
	assert_int_equal(status.lost_samples, 18);
	spool_close(spool);
}

static void
test_spool_takes_one_frame_larger_than_its_limit(void **state)
{
	struct spool *spool = new_spool(MIB);

	(void)state;
	assert_int_equal(append(spool, 2 * 1024 * 1024), RC_OK);
	assert_int_equal(append(spool, 10), RC_UNAVAILABLE);
	assert_int_equal(spool_drop_oldest(spool, &fault), RC_OK);
	assert_int_equal(append(spool, 10), RC_OK);
	spool_close(spool);
}

static void
test_spool_belongs_to_one_agent(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct spool *other;

	(void)state;
	assert_int_equal(spool_open(folder, MIB, &other, &fault), RC_CONFLICT);
	spool_close(spool);
	spool = open_spool(MIB);
	spool_close(spool);
}

static void
test_spool_squares_itself_with_the_hub(void **state)
{
	struct spool *spool = new_spool(MIB);
	uint64_t id = spool_id(spool);

	(void)state;
	/* Empty: it goes on behind whatever the hub has. */
	assert_int_equal(spool_resume(spool, 41, id + 1, &fault), RC_OK);
	assert_int_equal(spool_next_sequence(spool), 42);
	append_all(spool, 2, 20);
	/* The hub lost its data: that is no conflict. */
	assert_int_equal(spool_resume(spool, 0, 0, &fault), RC_OK);
	/* Another spool took the numbers of frames that wait here. */
	assert_int_equal(spool_resume(spool, 42, id + 1, &fault), RC_CONFLICT);
	assert_string_equal(fault.code, "SequenceConflict");
	/* The hub has frames of this spool that this spool has not. */
	assert_int_equal(spool_resume(spool, 50, id, &fault), RC_CONFLICT);
	assert_int_equal(spool_resume(spool, 42, id, &fault), RC_OK);
	spool_close(spool);
}

static void
test_spool_refuses_a_number_out_of_turn(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct spool_record record = {
		.sequence = 5, .length = 1, .frame = "x", .samples = 1};

	(void)state;
	assert_int_equal(spool_append(spool, &record, &fault), RC_RETRY);
	spool_close(spool);
}

/* A disk that is full half-way through a record, played by a file limit. */
static void
test_spool_takes_a_half_written_record_back(void **state)
{
	struct spool *spool = new_spool(MIB);
	struct rlimit before;
	struct rlimit small;
	int64_t first;
	int64_t last;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	append_all(spool, 2, 5000);
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 12000;
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(append(spool, 5000), RC_UNAVAILABLE);
	assert_int_equal(append(spool, 100), RC_OK);
	setrlimit(RLIMIT_FSIZE, &before);
	spool_close(spool);
	spool = open_spool(MIB);
	append_all(spool, 1, 5000);
	assert_int_equal(drain(spool, &first, &last), 4);
	assert_int_equal(last, 4);
	spool_close(spool);
}

/* Numbered frames, a writer that is killed at random, and a reader. */
static void
test_spool_outlives_kill_9(void **state)
{
	int64_t next = 1;

	(void)state;
	spool_close(new_spool(16 * MIB));
	for (int round = 0; round < 20; round++) {
		struct spool *spool;
		int64_t first = next;
		int64_t last = next - 1;
		pid_t writer = fork();

		if (writer == 0) {
			spool = open_spool(16 * MIB);
			for (;;)
				if (append(spool, 500) != RC_OK)
					_exit(1);
		}
		usleep((useconds_t)(1000 + rand() % 15000));
		kill(writer, SIGKILL);
		waitpid(writer, NULL, 0);
		spool = open_spool(16 * MIB);
		assert_int_equal(
			spool_resume(spool, next - 1, spool_id(spool), &fault),
			RC_OK);
		drain(spool, &first, &last);
		assert_int_equal(first, next);
		assert_int_equal(last, spool_next_sequence(spool) - 1);
		next = last + 1;
		spool_close(spool);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spool_gives_back_what_went_in),
		TEST(test_spool_repeats_until_acknowledged),
		TEST(test_spool_survives_a_restart),
		TEST(test_spool_removes_only_what_is_acknowledged),
		TEST(test_spool_cuts_a_torn_record_at_every_byte),
		TEST(test_spool_notices_every_flipped_byte),
		TEST(test_spool_goes_on_behind_a_damaged_segment),
		TEST(test_spool_goes_on_behind_segments_of_which_nothing_is_left),
		TEST(test_spool_reads_segments_whose_header_is_damaged),
		TEST(test_spool_is_full_at_its_limit),
		TEST(test_spool_takes_one_frame_larger_than_its_limit),
		TEST(test_spool_belongs_to_one_agent),
		TEST(test_spool_squares_itself_with_the_hub),
		TEST(test_spool_refuses_a_number_out_of_turn),
		TEST(test_spool_takes_a_half_written_record_back),
		TEST(test_spool_outlives_kill_9),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
