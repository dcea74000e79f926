/* syslog: a line for the system's log, beside the program's own. */
#ifndef FG_LIB_SYSLOG_H
#define FG_LIB_SYSLOG_H

/* Facility authpriv, priority notice. Lost when nobody listens at /dev/log. */
void syslog_send(const char *program, const char *line);

#endif
