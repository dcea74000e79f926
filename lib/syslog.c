/* syslog: a line for the system's log. Apart from lib/log.h, whose names of
 * levels are those of <syslog.h>. */

#include "lib/syslog.h"

#include <syslog.h>

void
syslog_send(const char *program, const char *line)
{
	openlog(program, LOG_PID, LOG_AUTHPRIV);
	syslog(LOG_NOTICE, "%s", line);
	closelog();
}
