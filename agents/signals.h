/* signals: what ends an agent, or asks how it is. */
#ifndef FG_AGENTS_SIGNALS_H
#define FG_AGENTS_SIGNALS_H

#include <signal.h>

/* Block them before the first thread starts: they go to main's sigwait only,
 * not into the middle of a thread. A closed connection is no signal, nor is a
 * file that may not grow: that is a full disk. */
void signals_block(sigset_t *signals);

#endif
