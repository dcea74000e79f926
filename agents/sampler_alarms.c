/* sampler_alarms: limits are evaluated on every sample that is read. */

#include <stdlib.h>
#include <string.h>

#include "agents/plant_clock.h"
#include "agents/sampler_parts.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "model/frame.h"

/* A clock that is off by more than this has been set, not corrected. */
#define CLOCK_JUMP_US CLOCK_SECOND_US
/* In one frame, so that their texts leave room for the samples. */
#define ALARMS_PER_FRAME 512

static int64_t
clock_offset(void)
{
	return plant_clock_us() - clock_steady_us();
}

void
sampler_alarms_open(struct sampler *sampler)
{
	sampler->alarms = alarm_engine_new();
	sampler->clock_offset_us = clock_offset();
	buf_init(&sampler->alarm_state, 0);
}

void
sampler_alarms_close(struct sampler *sampler)
{
	alarm_engine_free(sampler->alarms);
	buf_free(&sampler->alarm_state);
}

/* --- limits --------------------------------------------------------------- */

static void
take_limits(struct sampler *sampler)
{
	struct agent *agent = sampler->agent;
	struct alarm_target *targets;
	struct arena *arena;

	pthread_mutex_lock(&agent->lock);
	if (sampler->limits_version != agent->limits.version) {
		size_t count;

		arena = arena_new();
		count = limits_targets(
			arena, &agent->limits, &agent->list, &targets);
		alarm_engine_set(
			sampler->alarms, targets, count, plant_clock_us());
		sampler->limits_version = agent->limits.version;
		arena_free(arena);
	}
	pthread_mutex_unlock(&agent->lock);
}

static int32_t
find_input(const void *context, const char *name)
{
	const struct agent *agent = context;

	for (size_t i = 0; i < agent->list.count; i++)
		if (strcmp(agent->list.items[i].name, name) == 0)
			return agent->list.items[i].id != 0 ? (int32_t)i + 1
							    : 0;
	return 0;
}

/* What an earlier run left behind. A state that cannot be read is no reason
 * not to start: alarms that are still there come again. */
enum rc
sampler_alarms_begin(struct sampler *sampler, struct fault *fault)
{
	struct agent *agent = sampler->agent;
	struct buf *state = &sampler->alarm_state;
	enum rc rc = alarm_keep_open(&sampler->alarm_keep, agent->spool_folder,
		spool_id(agent->spool), spool_next_sequence(agent->spool),
		state, fault);

	if (rc != RC_OK)
		return rc;
	take_limits(sampler);
	if (state->length > 0 &&
		alarm_engine_load(sampler->alarms, state->data, state->length,
			find_input, agent, plant_clock_us(), fault) != RC_OK)
		log_error(NULL, "%s", fault->text);
	sampler->alarm_version = alarm_engine_version(sampler->alarms);
	return RC_OK;
}

/* --- evaluation ----------------------------------------------------------- */

void
sampler_alarms_put(struct sampler *sampler, const struct sample *sample)
{
	alarm_engine_put(sampler->alarms, sample, sampler->polled_us);
}

/* Delays go on for as long as they should, whatever the clock says. */
static void
follow_clock(struct sampler *sampler)
{
	int64_t offset_us = clock_offset();
	int64_t jump_us = offset_us - sampler->clock_offset_us;

	sampler->clock_offset_us = offset_us;
	if (jump_us > -CLOCK_JUMP_US && jump_us < CLOCK_JUMP_US)
		return;
	alarm_engine_shift(sampler->alarms, jump_us);
}

/* What is replayed has its own time: there a delay ends with a sample. */
void
sampler_alarms_tick(struct sampler *sampler)
{
	sampler->polled_us = clock_steady_us();
	take_limits(sampler);
	if (sampler->options.driver->replays)
		return;
	follow_clock(sampler);
	alarm_engine_tick(sampler->alarms, sampler->polled_us);
}

bool
sampler_alarms_wait(const struct sampler *sampler)
{
	const struct alarm_change *changes;

	return alarm_engine_changes(sampler->alarms, &changes) > 0;
}

/* --- into frames ---------------------------------------------------------- */

void
sampler_alarms_repeat(struct sampler *sampler)
{
	if (sampler->alarms_repeated)
		return;
	alarm_engine_repeat(sampler->alarms, plant_clock_us());
	sampler->alarms_repeated = true;
}

/* Under the hub's ids; only variables that have one are evaluated. */
struct alarm_change *
sampler_alarms_number(struct sampler *sampler, size_t *count)
{
	const struct agent *agent = sampler->agent;
	const struct alarm_change *changes;
	struct alarm_change *numbered;

	*count = alarm_engine_changes(sampler->alarms, &changes);
	if (*count > ALARMS_PER_FRAME)
		*count = ALARMS_PER_FRAME;
	numbered = calloc(*count + 1, sizeof(*numbered));
	if (numbered == NULL)
		abort();
	pthread_mutex_lock(&sampler->agent->lock);
	for (size_t i = 0; i < *count; i++) {
		numbered[i] = changes[i];
		numbered[i].variable_id =
			agent->list.items[changes[i].variable_id - 1].id;
	}
	pthread_mutex_unlock(&sampler->agent->lock);
	return numbered;
}

enum rc
sampler_alarms_keep(struct sampler *sampler, int64_t sequence, size_t count,
	struct fault *fault)
{
	if (alarm_engine_version(sampler->alarms) == sampler->alarm_version)
		return RC_OK;
	buf_clear(&sampler->alarm_state);
	alarm_engine_save(sampler->alarms, count, &sampler->alarm_state);
	return alarm_keep_write(
		&sampler->alarm_keep, sequence, &sampler->alarm_state, fault);
}

void
sampler_alarms_stored(struct sampler *sampler, size_t count)
{
	alarm_engine_taken(sampler->alarms, count);
	sampler->alarm_version = alarm_engine_version(sampler->alarms);
	sampler->alarms_repeated = false;
}
