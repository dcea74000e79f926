/* command_journal: what an agent knows of its commands after a restart, a torn
 * record or a full disk. */

#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents/command_journal.h"
#include "lib/clock.h"
#include "lib/log.h"

#define S CLOCK_SECOND_US

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

/* Old records are written away, and the file stays small. */
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
		cmocka_unit_test(test_journal_keeps_every_step_over_a_restart),
		cmocka_unit_test(test_journal_stands_a_torn_record),
		cmocka_unit_test(
			test_journal_forgets_only_what_is_told_and_old),
		cmocka_unit_test(test_journal_loses_nothing_on_a_full_disk),
		cmocka_unit_test(test_journal_stays_small),
	};

	/* Torn records are told each time. */
	log_open("command_journal", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
