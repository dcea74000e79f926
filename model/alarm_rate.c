/* alarm_rate: how many alarms come in ten minutes, and when they flood. */

#include "model/alarm_rate.h"

#define FLOOD_BEGINS 10 /* more than so many */
#define FLOOD_ENDS   5  /* fewer than so many */

const char *
alarm_rate_label(double average)
{
	if (average <= 1)
		return "VeryLikelyAcceptable";
	if (average <= 2)
		return "Manageable";
	return average <= 5 ? "LikelyOverDemanding" : "VeryLikelyUnacceptable";
}

/* Does the slot go on with the flood before it? A slot that is missing had no
 * alarms. */
static int
goes_on(const struct alarm_flood *flood, const struct alarm_slot *slot)
{
	return flood != NULL && slot->index == flood->first + flood->slots &&
	       slot->count >= FLOOD_ENDS;
}

static struct alarm_flood *
add_flood(struct alarm_rate *rate, struct alarm_flood *flood,
	const struct alarm_slot *slot)
{
	if (!goes_on(flood, slot)) {
		if (slot->count <= FLOOD_BEGINS)
			return NULL;
		flood = &rate->floods[rate->flood_count++];
		*flood = (struct alarm_flood){.first = slot->index};
	}
	flood->slots++;
	flood->count += slot->count;
	if (slot->count > flood->peak)
		flood->peak = slot->count;
	rate->flood_slots++;
	return flood;
}

struct alarm_rate
alarm_rate(struct arena *arena, const struct alarm_slot *slots, size_t count,
	double total)
{
	struct alarm_rate rate = {
		.floods = arena_array(arena, count + 1, sizeof(*rate.floods))};
	struct alarm_flood *flood = NULL;

	for (size_t i = 0; i < count; i++) {
		rate.count += slots[i].count;
		if (slots[i].count > rate.peak) {
			rate.peak = slots[i].count;
			rate.peak_slot = slots[i].index;
		}
		flood = add_flood(&rate, flood, &slots[i]);
	}
	rate.average = total > 0 ? (double)rate.count / total : 0;
	rate.label = alarm_rate_label(rate.average);
	return rate;
}
