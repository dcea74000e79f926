/* fuzz/egress_position: any bytes as the file that says how far was mirrored.
 */

#include <stdlib.h>
#include <string.h>

#include "agents/egress_position.h"
#include "tests/fuzz/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static bool
is_same(const struct egress_position *one, const struct egress_position *other)
{
	return strcmp(one->frames, other->frames) == 0 &&
	       strcmp(one->alarms, other->alarms) == 0 &&
	       strcmp(one->events, other->events) == 0 &&
	       strcmp(one->fill, other->fill) == 0 &&
	       strcmp(one->fill_of, other->fill_of) == 0 &&
	       strcmp(one->outlet, other->outlet) == 0 &&
	       one->filling == other->filling &&
	       one->fill_from_us == other->fill_from_us &&
	       one->fill_to_us == other->fill_to_us;
}

/* What was read and saved is read as the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	const char *folder = fuzz_folder();
	struct egress_position position;
	struct egress_position again;
	struct fault fault;

	fuzz_file("position", data, length);
	egress_position_init(&position);
	egress_position_init(&again);
	if (egress_position_load(&position, folder, &fault) == RC_OK &&
		(!position.stored ||
			egress_position_save(&position, folder, &fault) !=
				RC_OK ||
			egress_position_load(&again, folder, &fault) != RC_OK ||
			!is_same(&position, &again)))
		abort();
	egress_position_free(&position);
	egress_position_free(&again);
	return 0;
}
