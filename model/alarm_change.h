/*
 * alarm_change: what a plant tells of one occurrence of an alarm.
 *
 * Every change carries the whole state that the plant owns, so a receiver
 * replaces what it had, and a change that was lost heals with the next one.
 * Acknowledgement, comment, cause and shelving live at the hub alone and are
 * never in here. No SQL: agents use this as well.
 */
#ifndef FG_MODEL_ALARM_CHANGE_H
#define FG_MODEL_ALARM_CHANGE_H

#include <stdint.h>

#include "lib/encode.h"
#include "model/sample.h"

#define ALARM_LIMIT_BYTES 64
#define ALARM_TEXT_BYTES  4096

/* Also numbers in frames: never change one. */
enum alarm_change_kind {
	ALARM_CAME = 1,
	ALARM_WENT = 2,
	ALARM_REACTIVATED = 3,
	ALARM_CHANGED = 4, /* value, flags or text, while it lasts */
};

#define ALARM_CHANGE_KINDS 4 /* from 1 */

enum alarm_flags {
	ALARM_UNCERTAIN = 1,  /* active, but the value is not to be trusted */
	ALARM_CHATTERING = 2, /* comes and goes too often to be looked at */
	ALARM_SUPPRESSED = 4, /* by design: the plant is in another mode */
};

#define ALARM_FLAGS (ALARM_UNCERTAIN | ALARM_CHATTERING | ALARM_SUPPRESSED)

/* One change. Times are source times; CLOCK_NEVER = it has not. */
struct alarm_change {
	uint8_t id[UUID_BYTES]; /* of the occurrence; drawn by who evaluates */
	int32_t variable_id;
	const char *limit; /* its name within the variable, 1..64 bytes */
	enum alarm_change_kind kind;
	int64_t time_us; /* of this change */
	int64_t came_us;
	int64_t went_us;
	int64_t reactivated_us; /* the last time */
	uint32_t reactivations;
	uint32_t flags;     /* enum alarm_flags */
	uint64_t status;    /* of the value */
	struct value value; /* when it came; VALUE_NONE = not known */
	const char *text;   /* UTF-8, 0..4096 bytes */
};

/* "came", "went", "reactivated", "changed". */
const char *alarm_change_kind_name(enum alarm_change_kind kind);
/* 0 for any other text. */
enum alarm_change_kind alarm_change_kind_parse(const char *text);

#endif
