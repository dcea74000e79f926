/*
 * sender: from the spool to the hub, one request at a time.
 *
 * Declares the variables after every connection, sends frames in order, beats
 * every 2 s, tries the hub's addresses in turn and backs off with jitter. A
 * frame that the hub refuses for good goes to refused/ in the spool's folder.
 */
#ifndef FG_AGENTS_SENDER_H
#define FG_AGENTS_SENDER_H

#include "agents/agent.h"
#include "agents/hub.h"
#include "agents/renewal.h"

/*
 * Send until agent->send_until_us, or agent->finished and all is sent, or the
 * hub says that this spool's numbers clash (then agent->failed).
 */
void sender_run(struct agent *agent, struct hub *hub, struct renewal *renewal);

/* Time to wait after so many failures in a row, "chance" being 0..1. */
int64_t sender_backoff_us(unsigned failures, double chance);

#endif
