/* egress_fill: what the feed of frames does not have, from history. */

#include "agents/egress_parts.h"

#include <stdio.h>

#include "lib/clock.h"

void
egress_fill_want(struct egress *egress, int64_t from_us, int64_t to_us)
{
	struct egress_position *position = &egress->position;

	if (!position->filling || from_us < position->fill_from_us)
		position->fill_from_us = from_us;
	if (!position->filling || to_us > position->fill_to_us)
		position->fill_to_us = to_us;
	position->filling = true;
	egress_position_set(&position->fill, "");
}

enum rc
egress_fill_lost(struct egress *egress, const struct egress_page *page,
	struct fault *fault)
{
	char from[CLOCK_TEXT_BYTES];
	char to[CLOCK_TEXT_BYTES];
	char text[200];

	clock_format(from, page->lost_from_us);
	clock_format(to, page->lost_to_us);
	snprintf(text, sizeof(text),
		"the hub dropped frames that were not mirrored yet; filled "
		"from history: %s to %s",
		from, to);
	egress_fill_want(egress, page->lost_from_us, page->lost_to_us);
	return egress_put_own_event(egress, "feed.filled", text, fault);
}

enum rc
egress_fill_next(struct egress *egress, struct fault *fault)
{
	struct egress_position *position = &egress->position;
	struct egress_page page;
	bool again = false;
	enum rc rc = egress_feed_history(&egress->feed, position->fill_from_us,
		position->fill_to_us, position->fill, &page, fault);

	if (rc != RC_OK)
		return rc;
	rc = egress_put_page(egress, &page, &again, fault);
	if (rc == RC_OK && !again) {
		position->filling = page.cursor != NULL;
		egress_position_set(&position->fill,
			page.cursor != NULL ? page.cursor : "");
		rc = egress_commit(egress, fault);
	}
	egress_page_close(&page);
	return rc;
}
