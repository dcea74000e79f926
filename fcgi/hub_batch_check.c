/* hub_batch_check: what a frame may say, in whatever form it came. */

#include "fcgi/hub_batch_parts.h"

#include "lib/clock.h"
#include "model/event_kind.h"

static enum rc
check_before(int64_t time_us, int64_t latest_us, struct fault *fault)
{
	char text[CLOCK_TEXT_BYTES];

	if (time_us >= SAMPLE_TIME_MIN_US && time_us <= latest_us)
		return RC_OK;
	/* What cannot be a date is told as a number. */
	if (time_us < -SAMPLE_TIME_MIN_US * 10 ||
		time_us > SAMPLE_TIME_MIN_US * 100)
		return fault_tell(fault, RC_UNPROCESSABLE, "TimeOutOfRange",
			"time", "The time %lld us is out of range.",
			(long long)time_us);
	clock_format(text, time_us);
	return fault_tell(fault, RC_UNPROCESSABLE, "TimeOutOfRange", "time",
		"The time %s is before 2000 or more than ten minutes ahead.",
		text);
}

enum rc
hub_batch_check_time(
	const struct batch_reader *reader, int64_t time_us, struct fault *fault)
{
	return check_before(time_us, reader->latest_us, fault);
}

enum rc
hub_batch_tell_unknown(struct fault *fault, const char *name, int32_t id)
{
	if (name != NULL)
		return fault_tell(fault, RC_UNPROCESSABLE, "UnknownVariable",
			"name", "The datasource has no variable \"%.150s\".",
			name);
	return fault_tell(fault, RC_UNPROCESSABLE, "UnknownVariable",
		"variable", "The datasource has no variable with id %d.", id);
}

enum rc
hub_batch_tell_type(struct fault *fault, const struct variable *variable)
{
	return fault_tell(fault, RC_UNPROCESSABLE, "WrongType", "value",
		"\"%.150s\" takes values of type %s.", variable->name,
		variable_kind_name(variable->kind));
}

/* The times of the occurrence may lie ahead of this change: the plant's clock
 * may have been set back since. */
static enum rc
check_alarm_times(const struct alarm_change *change, int64_t latest_us,
	struct fault *fault)
{
	const int64_t times[] = {
		change->came_us, change->went_us, change->reactivated_us};
	enum rc rc = check_before(change->time_us, latest_us, fault);

	for (size_t i = 0; i < ARRAY_LENGTH(times) && rc == RC_OK; i++)
		if (times[i] != CLOCK_NEVER)
			rc = check_before(
				times[i], latest_us + CLOCK_DAY_US, fault);
	return rc;
}

enum rc
hub_batch_check_alarm(const struct batch_reader *reader,
	const struct alarm_change *change,
	const struct image_variable *variable, struct fault *fault)
{
	if (change->value.kind != VALUE_NONE &&
		change->value.kind != variable->meta.kind)
		return hub_batch_tell_type(fault, &variable->meta);
	return check_alarm_times(change, reader->latest_us, fault);
}

/* What people and commands did is told by the server alone. */
enum rc
hub_batch_check_event(const struct batch_reader *reader,
	const struct frame_event *event, struct fault *fault)
{
	if (event_kind_is_known(event->kind))
		return fault_tell(fault, RC_UNPROCESSABLE, "KindReserved",
			"kind",
			"Events of the kind %s are the server's own: name "
			"yours otherwise.",
			event->kind);
	return hub_batch_check_time(reader, event->time_us, fault);
}
