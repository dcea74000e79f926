/* egress_fill: what the feed of frames does not have, from history. */

#include "agents/egress_parts.h"

#include <json-c/json.h>
#include <stdio.h>
#include <strings.h>

#include "lib/clock.h"

/* Nothing else is fetched until it is filled, so there is one at a time. */
void
egress_fill_want(
	struct egress *egress, const char *of, int64_t from_us, int64_t to_us)
{
	struct egress_position *position = &egress->position;

	position->fill_from_us = from_us;
	position->fill_to_us = to_us;
	position->filling = true;
	egress_position_set(&position->fill, "");
	egress_position_set(&position->fill_of, of);
}

/* The UUIDs that are in the mirror as well, with a space behind each. */
static bool
choose(const struct egress *egress, struct json_object *list, struct buf *of)
{
	const struct mirror *mirror = egress->feed.mirror;
	size_t count = json_object_is_type(list, json_type_array)
			       ? json_object_array_length(list)
			       : 0;

	for (size_t i = 0; i < count; i++) {
		const char *uuid = json_object_get_string(
			json_object_array_get_idx(list, i));

		for (size_t k = 0; k < mirror->count; k++)
			if (strcasecmp(mirror->rows[k].datasource, uuid) == 0) {
				buf_text(of, mirror->rows[k].datasource);
				buf_char(of, ' ');
				break;
			}
	}
	return of->length > 0;
}

enum rc
egress_fill_lost(struct egress *egress, const struct egress_page *page,
	struct fault *fault)
{
	char from[CLOCK_TEXT_BYTES];
	char to[CLOCK_TEXT_BYTES];
	char text[200];
	struct buf of;
	enum rc rc = RC_OK;

	clock_format(from, page->lost_from_us);
	clock_format(to, page->lost_to_us);
	snprintf(text, sizeof(text),
		"the hub dropped frames that were not mirrored yet; filled "
		"from history: %s to %s",
		from, to);
	buf_init(&of, 0);
	if (choose(egress, page->lost_of, &of)) {
		egress_fill_want(
			egress, of.data, page->lost_from_us, page->lost_to_us);
		rc = egress_put_own_event(egress, "feed.filled", text, fault);
	}
	buf_free(&of);
	return rc;
}

enum rc
egress_fill_next(struct egress *egress, struct fault *fault)
{
	struct egress_position *position = &egress->position;
	struct egress_page page;
	bool again = false;
	enum rc rc = egress_feed_history(&egress->feed, position, &page, fault);

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
