/* frame_damage: nothing but what was sent is believed. */

#include "tests/unit/unit.h"

#include <string.h>

#include "lib/crc32c.h"
#include "lib/wire.h"
#include "tests/unit/frames.h"
#include "tests/unit/series.h"

static enum rc
decode(struct frames *fixture, const void *data, size_t length)
{
	struct frame_head head;
	struct frame_content content;

	return frame_decode(
		data, length, fixture->arena, &head, &content, &fixture->fault);
}

static void
test_frame_truncated_is_told(void **state)
{
	struct frames *fixture = *state;
	size_t length = frames_encode_small(fixture, FRAME_PLAIN);

	for (size_t i = 0; i < length; i++) {
		assert_int_equal(
			decode(fixture, fixture->out.data, i), RC_BAD_INPUT);
		assert_string_equal(fixture->fault.code, "FrameTruncated");
	}
}

static void
test_frame_every_flipped_bit_is_told(void **state)
{
	struct frames *fixture = *state;
	size_t length = frames_encode_small(fixture, FRAME_ZSTD);

	for (size_t i = 0; i < length * 8; i++) {
		fixture->out.data[i / 8] ^= (char)(1 << i % 8);
		assert_int_not_equal(
			decode(fixture, fixture->out.data, length), RC_OK);
		fixture->out.data[i / 8] ^= (char)(1 << i % 8);
	}
	assert_int_equal(decode(fixture, fixture->out.data, length), RC_OK);
}

/* Make the checksum fit again, as a malicious sender would. */
static void
seal(struct buf *frame)
{
	uint8_t *at = (uint8_t *)frame->data;

	wire_put_u32(at + 12,
		crc32c(crc32c(0, at, 12), at + 16, frame->length - 16));
}

static void
test_frame_sealed_lies_never_crash(void **state)
{
	struct frames *fixture = *state;
	struct series series = {.seed = 3};
	struct buf good;

	buf_init(&good, 0);
	frames_encode_small(fixture, FRAME_PLAIN);
	buf_add(&good, fixture->out.data, fixture->out.length);
	for (int round = 0; round < 20000; round++) {
		memcpy(fixture->out.data, good.data, good.length);
		for (int k = 0; k < 1 + round % 3; k++)
			fixture->out
				.data[series_random(&series) % good.length] =
				(char)series_random(&series);
		seal(&fixture->out);
		(void)!decode(fixture, fixture->out.data, good.length);
		arena_reset(fixture->arena);
	}
	buf_free(&good);
}

static void
test_frame_version_crc_and_limits_have_codes(void **state)
{
	struct frames *fixture = *state;
	size_t length = frames_encode_small(fixture, FRAME_PLAIN);
	uint8_t *at = (uint8_t *)fixture->out.data;

	at[4] = 3;
	assert_int_equal(decode(fixture, at, length), RC_UNSUPPORTED);
	assert_string_equal(fixture->fault.code, "FrameVersion");
	at[4] = 2;
	at[length - 1] ^= 1;
	assert_int_equal(decode(fixture, at, length), RC_BAD_INPUT);
	assert_string_equal(fixture->fault.code, "FrameCrc");
	at[length - 1] ^= 1;
	wire_put_u32(at + 64, FRAME_SAMPLES_MAX + 1);
	seal(&fixture->out);
	assert_int_equal(decode(fixture, at, length), RC_TOO_LARGE);
	at[0] = 'x';
	assert_int_equal(decode(fixture, at, length), RC_BAD_INPUT);
	assert_string_equal(fixture->fault.code, "FrameMalformed");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_frame_truncated_is_told,
			frames_setup, frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_every_flipped_bit_is_told, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_sealed_lies_never_crash, frames_setup,
			frames_teardown),
		cmocka_unit_test_setup_teardown(
			test_frame_version_crc_and_limits_have_codes,
			frames_setup, frames_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
