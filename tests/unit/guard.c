/* guard: what a process knows stays inside of it, in memory and in logs. */

#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/arena.h"
#include "lib/buf.h"
#include "lib/guard.h"
#include "lib/log.h"

#define SECRET "correct horse battery staple"

static int
be_guarded(void)
{
	struct rlimit core;

	guard_process();
	return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 &&
	       getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
}

static void
test_guard_forbids_tracing_and_core_dumps(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0)
		_exit(be_guarded() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
test_guard_arena_is_wiped_at_reset(void **state)
{
	static const char zero[sizeof(SECRET)];
	struct arena *arena = arena_new();
	char *text = arena_strdup(arena, SECRET);

	(void)state;
	arena_reset(arena);
	assert_memory_equal(text, zero, sizeof(zero)); /* its block is kept */
	arena_free(arena);
}

static void
test_guard_buf_is_wiped(void **state)
{
	static const char zero[sizeof(SECRET)];
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	buf_text(&buf, SECRET);
	buf_wipe(&buf);
	assert_int_equal(buf.length, 0);
	assert_memory_equal(buf.data, zero, sizeof(zero));
	buf_free(&buf);
}

/* What "text" becomes in the log. */
static char *
logged(struct arena *arena, const char *text)
{
	char line[4096];
	int ends[2];
	int saved = dup(STDERR_FILENO);
	ssize_t length;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_warn("id", "%s", text);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	length = read(ends[0], line, sizeof(line) - 1);
	close(ends[0]);
	assert_true(length > 0);
	return arena_strndup(arena, line, (size_t)length);
}

static void
test_asvs_16_4_1_a_field_of_the_log_stays_in_its_line(void **state)
{
	struct arena *arena = arena_new();
	char long_text[5000];
	char *line;

	(void)state;
	line = logged(
		arena, "name=eve\r\nlevel=error msg=\"forged\"\t\\\x1b[2J");
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_non_null(strstr(line,
		"msg=\"name=eve\\x0d\\x0alevel=error msg=\\\"forged\\\""
		"\\x09\\\\\\x1b[2J\""));
	memset(long_text, '\n', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	line = logged(arena, long_text);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_true(line[strlen(line) - 2] == '"');
	arena_free(arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard_forbids_tracing_and_core_dumps),
		cmocka_unit_test(test_guard_arena_is_wiped_at_reset),
		cmocka_unit_test(test_guard_buf_is_wiped),
		cmocka_unit_test(
			test_asvs_16_4_1_a_field_of_the_log_stays_in_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
