/* guard: keep what a process knows inside of it. */

#include "lib/guard.h"

#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/log.h"

void
guard_process(void)
{
	const struct rlimit none = {0, 0};

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
		setrlimit(RLIMIT_CORE, &none) == 0)
		return;
	log_error(NULL, "this process cannot be kept from being traced");
	exit(EXIT_FAILURE);
}
