/* hub_time: where the hub's steady clock is, at most. */

#include "agents/hub_time.h"

#include <string.h>

static int64_t
latest(const struct hub_time *time, int64_t now_us)
{
	int64_t passed_us = now_us - time->asked_us;

	return time->hub_us + passed_us +
	       passed_us / 1000000 * HUB_TIME_DRIFT_PPM + 1;
}

static bool
same_boot(const struct hub_time *time, const uint8_t boot[UUID_BYTES])
{
	return time->known && memcmp(time->boot, boot, UUID_BYTES) == 0;
}

void
hub_time_note(struct hub_time *time, const uint8_t boot[UUID_BYTES],
	int64_t hub_us, int64_t asked_us, int64_t answered_us)
{
	struct hub_time fresh = {
		.known = true, .hub_us = hub_us, .asked_us = asked_us};

	memcpy(fresh.boot, boot, UUID_BYTES);
	if (same_boot(time, boot) &&
		latest(time, answered_us) >= hub_us && /* not contradicted */
		latest(time, answered_us) <= latest(&fresh, answered_us))
		return;
	*time = fresh;
}

void
hub_time_check(struct hub_time *time, const uint8_t boot[UUID_BYTES],
	int64_t hub_us, int64_t now_us)
{
	if (same_boot(time, boot) && latest(time, now_us) < hub_us)
		time->known = false;
}

int64_t
hub_time_latest(const struct hub_time *time, const uint8_t boot[UUID_BYTES],
	int64_t now_us)
{
	return same_boot(time, boot) ? latest(time, now_us) : INT64_MAX;
}
