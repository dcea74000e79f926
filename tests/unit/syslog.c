/* syslog: a checkpoint reaches whoever listens at /dev/log; here that is us,
 * in a /dev of our own. Skipped where the system does not let us have one. */

#define _GNU_SOURCE

#include "tests/unit/unit.h"

#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/syslog.h"

#define SOCKET_PATH "/dev/log"

static bool
make_own_dev(void)
{
	int spaces = CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER);

	return unshare(spaces) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", "/dev", "tmpfs", 0, "size=64k") == 0;
}

static int
listen_as_syslog(void)
{
	struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
	const struct timeval limit = {.tv_sec = 2};
	int file = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (bind(file, (struct sockaddr *)&address, sizeof(address)) != 0) {
		close(file);
		return -1;
	}
	setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return file;
}

static void
test_syslog_gets_the_line(void **state)
{
	char got[512];
	ssize_t length;
	int file;

	(void)state;
	file = make_own_dev() ? listen_as_syslog() : -1;
	if (file < 0)
		skip();
	syslog_send("fieldgrid-keeper", "fieldgrid-audit v1 position=1 %s");
	length = recv(file, got, sizeof(got) - 1, 0);
	close(file);
	assert_true(length > 0);
	got[length] = '\0';
	/* authpriv (10) * 8 + notice (5) */
	assert_memory_equal(got, "<85>", 4);
	assert_non_null(strstr(got, "fieldgrid-keeper["));
	assert_non_null(strstr(got, "]: fieldgrid-audit v1 position=1 %s"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_syslog_gets_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
