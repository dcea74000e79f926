/* hub_counters: how often what was refused, and how much was taken. */

#include "fcgi/hub_counters.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "lib/memory.h"

/* Every errorCode of the node endpoints; what is not here counts as Other. */
static const char *const codes[] = {"NoCertificate", "UnknownCertificate",
	"NodeNotAuthorised", "InvalidToken", "TokenNotBound",
	"DatasourceNotAllowed", "FrameMalformed", "FrameTruncated", "FrameCrc",
	"FrameVersion", "TooLarge", "UnknownVariable", "WrongType",
	"TimeOutOfRange", "SequenceConflict", "TypeChanged", "Unavailable",
	"Other"};

struct hub_counters {
	_Atomic uint64_t frames;
	_Atomic uint64_t samples;
	_Atomic uint64_t faults[ARRAY_LENGTH(codes)];
};

struct hub_counters *
hub_counters_new(void)
{
	struct hub_counters *counters = memory_new(1, sizeof(*counters));

	return counters;
}

void
hub_counters_free(struct hub_counters *counters)
{
	free(counters);
}

void
hub_counters_fault(struct hub_counters *counters, const struct fault *fault)
{
	const char *code = fault->code[0] != '\0'
				   ? fault->code
				   : fault_public(fault->rc)->code;
	size_t i = 0;

	while (i + 1 < ARRAY_LENGTH(codes) && strcmp(codes[i], code) != 0)
		i++;
	atomic_fetch_add_explicit(
		&counters->faults[i], 1, memory_order_relaxed);
}

void
hub_counters_frames(
	struct hub_counters *counters, uint64_t frames, uint64_t samples)
{
	atomic_fetch_add_explicit(
		&counters->frames, frames, memory_order_relaxed);
	atomic_fetch_add_explicit(
		&counters->samples, samples, memory_order_relaxed);
}

void
hub_counters_log(const struct hub_counters *counters)
{
	struct buf line;

	buf_init(&line, 0);
	buf_printf(&line, "frames=%" PRIu64 " samples=%" PRIu64,
		atomic_load(&counters->frames),
		atomic_load(&counters->samples));
	for (size_t i = 0; i < ARRAY_LENGTH(codes); i++) {
		uint64_t count = atomic_load(&counters->faults[i]);

		if (count != 0)
			buf_printf(&line, " %s=%" PRIu64, codes[i], count);
	}
	log_info(NULL, "%s", line.data);
	buf_free(&line);
}
