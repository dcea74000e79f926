/* sampler_dump: samples for a person to look at. */

#include <stdio.h>

#include "agents/plant_clock.h"
#include "agents/sampler_parts.h"
#include "lib/clock.h"

static const char *
show(const struct value *value, char room[DRIVER_TEXT_BYTES])
{
	if (value->kind == VALUE_BOOL)
		return value->boolean ? "true" : "false";
	return driver_text(value, room);
}

static void
print_samples(struct sampler *sampler, FILE *out)
{
	for (size_t i = 0; i < sampler->count; i++) {
		const struct sample *sample = &sampler->samples[i];
		const struct input *input =
			&sampler->agent->list.items[sample->variable_id - 1];
		char time[CLOCK_TEXT_BYTES];
		char room[DRIVER_TEXT_BYTES];

		clock_format(time, sample->time_us);
		fprintf(out, "%s\t%s\t%s\t%s%s%s\n", time, input->name,
			show(&sample->value, room), input->unit,
			sample->status & STATUS_INVALID ? "\tINVALID" : "",
			sample->status & STATUS_OV ? "\tOV" : "");
	}
	fflush(out);
	sampler_empty(sampler);
}

enum rc
sampler_dump(struct sampler *sampler, int64_t seconds, FILE *out,
	struct fault *fault)
{
	int64_t end_us = clock_steady_us() + seconds * CLOCK_SECOND_US;
	int64_t due_us = 0;
	bool periodic = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && due_us != DRIVER_FINISHED &&
		clock_steady_us() <= end_us) {
		int64_t wait_us = due_us - plant_clock_us();

		if (wait_us > SAMPLER_WAIT_US / 10)
			wait_us = SAMPLER_WAIT_US / 10;
		if (wait_us > 0 && !sampler_wait(sampler, wait_us))
			continue;
		rc = sampler_poll(sampler, &due_us, &periodic, fault);
		print_samples(sampler, out);
	}
	return rc;
}
