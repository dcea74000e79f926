/* password: hashing, limits, and no word about who exists. */

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/password.h"
#include "lib/secret.h"

static int
compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int
set_up(void **state)
{
	*state = arena_new();
	return 0;
}

static int
tear_down(void **state)
{
	arena_free(*state);
	return 0;
}

static void
test_password_verifies_what_it_hashed(void **state)
{
	struct fault fault;
	const char *hash;

	assert_int_equal(
		password_hash(*state, "correct horse ", &hash, &fault), RC_OK);
	assert_int_equal(
		strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	assert_int_equal(
		password_verify(hash, "correct horse ", &fault), RC_OK);
	assert_int_equal(password_verify(hash, "correct horse", &fault),
		RC_UNAUTHENTICATED);
	assert_int_equal(password_verify(hash, "Correct horse ", &fault),
		RC_UNAUTHENTICATED);
	assert_false(password_is_dated(hash));
	assert_true(password_is_dated("$argon2id$v=19$m=4096,t=1,p=1$"
				      "BvMg2Z2hCkEzFqC7NLDbuQ$"
				      "mZzNzS3pU1bTg3Jc1cQp2l3hXfYt8B0y5nQ2r6"
				      "oV9dE"));
}

static void
test_password_has_8_to_256_bytes(void **state)
{
	char text[300];
	struct fault fault;
	const char *hash;

	memset(text, 'x', sizeof(text));
	text[7] = '\0';
	assert_int_equal(password_check(text, &fault), RC_BAD_INPUT);
	assert_string_equal(fault.code, "PasswordLength");
	text[7] = 'x';
	text[8] = '\0';
	assert_int_equal(password_check(text, &fault), RC_OK);
	text[8] = 'x';
	text[256] = '\0';
	assert_int_equal(password_hash(*state, text, &hash, &fault), RC_OK);
	text[255] = 'y'; /* every byte counts */
	assert_int_equal(
		password_verify(hash, text, &fault), RC_UNAUTHENTICATED);
	text[256] = 'x';
	text[257] = '\0';
	assert_int_equal(password_check(text, &fault), RC_BAD_INPUT);
	assert_int_equal(
		password_verify(hash, text, &fault), RC_UNAUTHENTICATED);
}

static void
refused_as_well_known(const char *password)
{
	struct fault fault = {.code = ""};

	assert_int_equal(password_check(password, &fault), RC_BAD_INPUT);
	assert_string_equal(fault.code, "PasswordWellKnown");
}

/* The words are those of the real list, its first and last line among them. */
static void
test_password_of_the_list_is_refused(void **state)
{
	static const char *const known[] = {"password", "12345678",
		"PassWord123", "qwertyuiop", "trustno1", "iloveyou",
		"fieldgrid", "passwort123"};
	static const char *const fine[] = {"password of the pump",
		"12345678901234567890", "aaaaaaaa4711", "zzzzzzzzz~",
		"~~~~~~~~", "!!!!!!!!"};
	const char *path = getenv("FIELDGRID_PASSWORDS");
	struct fault fault;
	char line[64];
	FILE *file;
	int lines = 0;

	(void)state;
	if (path == NULL)
		path = "static/vendor/data/passwords.txt";
	assert_int_equal(password_list_load("/dev/null", &fault), RC_IO);
	assert_int_equal(password_list_load(path, &fault), RC_OK);
	for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
		refused_as_well_known(known[i]);
	for (size_t i = 0; i < ARRAY_LENGTH(fine); i++)
		assert_int_equal(password_check(fine[i], &fault), RC_OK);
	file = fopen(path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		refused_as_well_known(line);
		lines++;
	}
	fclose(file);
	assert_true(lines > 3000);
}

static void
test_password_nobody_takes_as_long(void **state)
{
	struct fault fault;
	const char *hash;
	int64_t start_us;
	int64_t known_us = INT64_MAX;
	int64_t unknown_us = INT64_MAX;

	assert_int_equal(
		password_hash(*state, "correct horse", &hash, &fault), RC_OK);
	for (int i = 0; i < 5; i++) {
		start_us = clock_steady_us();
		assert_int_equal(password_verify(hash, "wrong one", &fault),
			RC_UNAUTHENTICATED);
		if (clock_steady_us() - start_us < known_us)
			known_us = clock_steady_us() - start_us;
		start_us = clock_steady_us();
		assert_int_equal(password_verify(NULL, "wrong one", &fault),
			RC_UNAUTHENTICATED);
		if (clock_steady_us() - start_us < unknown_us)
			unknown_us = clock_steady_us() - start_us;
	}
	assert_true(unknown_us > known_us / 3);
}

static void
test_password_slots_are_shared_and_given_back(void **state)
{
	char path[] = "/tmp/fieldgrid-slots-XXXXXX";
	struct fault fault;
	const char *hash;
	int status;
	int ready[2];
	char byte;
	pid_t holder;

	close(mkstemp(path));
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(password_limit(path, 1, &fault), RC_OK);
	holder = fork();
	if (holder == 0) {
		/* Hold the only slot until killed. */
		struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
		int file = open(path, O_RDWR);

		fcntl(file, F_SETLK, &lock);
		(void)!write(ready[1], "x", 1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(password_hash(*state, "correct horse", &hash, &fault),
		RC_UNAVAILABLE);
	kill(holder, SIGKILL);
	waitpid(holder, &status, 0);
	assert_int_equal(
		password_hash(*state, "correct horse", &hash, &fault), RC_OK);
	unlink(path);
}

/* What session ids, codes and tokens are made of (ASVS 7.2.3). */
static void
test_secret_tokens_have_256_bits_and_differ(void **state)
{
	enum { COUNT = 10000, LETTERS = 43 };
	const char **tokens = arena_array(*state, COUNT, sizeof(*tokens));

	for (size_t i = 0; i < COUNT; i++) {
		tokens[i] = secret_token(*state);
		assert_int_equal(strlen(tokens[i]), LETTERS);
	}
	qsort(tokens, COUNT, sizeof(*tokens), compare_texts);
	for (size_t i = 1; i < COUNT; i++)
		assert_string_not_equal(tokens[i - 1], tokens[i]);
}

#define UNIT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT(test_password_verifies_what_it_hashed),
		UNIT(test_password_has_8_to_256_bytes),
		UNIT(test_password_of_the_list_is_refused),
		UNIT(test_password_nobody_takes_as_long),
		UNIT(test_secret_tokens_have_256_bits_and_differ),
		UNIT(test_password_slots_are_shared_and_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
