/* fuzz/chunk: any bytes as a chunk whose checksum fits. */

#include <stdlib.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/wire.h"
#include "model/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* Without this hardly any input would pass the checksum. */
static uint8_t *
seal(struct arena *arena, const uint8_t *data, size_t length)
{
	uint8_t *chunk = arena_alloc(arena, length + 4);

	if (length > 0)
		memcpy(chunk, data, length);
	wire_put_u32(chunk + length, crc32c(0, chunk, length));
	return chunk;
}

static void
check_same(const struct chunk_columns *left, const struct chunk_columns *right)
{
	if (left->count != right->count)
		abort();
	for (size_t i = 0; i < left->count; i++) {
		struct sample a = chunk_sample(left, 1, i);
		struct sample b = chunk_sample(right, 1, i);

		if (a.time_us != b.time_us || a.status != b.status ||
			!value_equal(&a.value, &b.value))
			abort();
	}
}

/* What was decoded packs again and is the same then. */
static void
check_again(struct arena *arena, const struct chunk_columns *columns)
{
	struct sample *samples =
		arena_array(arena, columns->count, sizeof(*samples));
	struct chunk_columns again;
	struct chunk_summary summary;
	struct fault fault;
	struct buf out;

	for (size_t i = 0; i < columns->count; i++)
		samples[i] = chunk_sample(columns, 1, i);
	if (chunk_fit(samples, columns->count) < columns->count)
		return;
	buf_init(&out, 0);
	if (chunk_encode(samples, columns->count, &out, &summary, &fault) !=
			RC_OK ||
		summary.samples != columns->count ||
		summary.good > summary.samples ||
		chunk_decode(out.data, out.length, arena, &again, &fault) !=
			RC_OK)
		abort();
	check_same(columns, &again);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static struct arena *arena;
	struct chunk_columns columns;
	struct fault fault;

	if (arena == NULL)
		arena = arena_new();
	if (chunk_decode(seal(arena, data, length), length + 4, arena, &columns,
		    &fault) == RC_OK)
		check_again(arena, &columns);
	arena_reset(arena);
	return 0;
}
