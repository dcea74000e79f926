/* hub_counters: how often what was refused, and how much was taken. */
#ifndef FG_FCGI_HUB_COUNTERS_H
#define FG_FCGI_HUB_COUNTERS_H

#include <stdint.h>

#include "lib/fault.h"

struct hub_counters;

struct hub_counters *hub_counters_new(void);
void hub_counters_free(struct hub_counters *counters);

/* Count a refusal by its errorCode. */
void hub_counters_fault(
	struct hub_counters *counters, const struct fault *fault);
void hub_counters_frames(
	struct hub_counters *counters, uint64_t frames, uint64_t samples);

/* One log line with everything that is not zero. */
void hub_counters_log(const struct hub_counters *counters);

#endif
