/* wire: numbers come back, and a reader never passes its end. */

#include "tests/unit/unit.h"

#include "lib/wire.h"

static const uint64_t numbers[] = {
	0, 1, 127, 128, 300, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};

static void
test_wire_varints_come_back(void **state)
{
	struct wire_reader in;
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		wire_add_varint(&out, numbers[i]);
		wire_add_zigzag(&out, (int64_t)numbers[i]);
		wire_add_zigzag(&out, -(int64_t)(numbers[i] >> 1));
	}
	in = wire_reader(out.data, out.length);
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		assert_true(wire_take_varint(&in) == numbers[i]);
		assert_true(wire_take_zigzag(&in) == (int64_t)numbers[i]);
		assert_true(
			wire_take_zigzag(&in) == -(int64_t)(numbers[i] >> 1));
	}
	assert_false(in.failed);
	assert_int_equal(wire_left(&in), 0);
	buf_free(&out);
}

static void
test_wire_zigzag_counts_outwards(void **state)
{
	static const int64_t outwards[] = {0, -1, 1, -2, 2};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(outwards); i++) {
		assert_true(wire_zigzag(outwards[i]) == i);
		assert_true(wire_unzigzag(i) == outwards[i]);
	}
	assert_true(wire_zigzag(INT64_MIN) == UINT64_MAX);
	assert_true(wire_unzigzag(UINT64_MAX) == INT64_MIN);
}

static void
test_wire_numbers_are_little_endian(void **state)
{
	static const uint8_t expected[] = {
		0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01};
	uint8_t bytes[8];

	(void)state;
	wire_put_u64(bytes, UINT64_C(0x0123456789abcdef));
	assert_memory_equal(bytes, expected, 8);
	assert_true(wire_u64(bytes) == UINT64_C(0x0123456789abcdef));
	wire_put_u32(bytes, 0x89abcdef);
	assert_memory_equal(bytes, expected, 4);
	assert_int_equal(wire_u32(bytes), 0x89abcdef);
	wire_put_u16(bytes, 0xcdef);
	assert_int_equal(wire_u16(bytes), 0xcdef);
}

static void
assert_refused(const void *data, size_t length)
{
	struct wire_reader in = wire_reader(data, length);

	assert_true(wire_take_varint(&in) == 0);
	assert_true(in.failed);
	assert_int_equal(wire_take_u8(&in), 0);
	assert_true(wire_take_u64(&in) == 0);
	assert_null(wire_take(&in, 0));
	assert_int_equal(wire_left(&in), 0);
}

static void
test_wire_reader_fails_once_and_for_all(void **state)
{
	(void)state;
	assert_refused("", 0);
	assert_refused("\x80", 1);
	assert_refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);
	assert_refused("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wire_varints_come_back),
		cmocka_unit_test(test_wire_zigzag_counts_outwards),
		cmocka_unit_test(test_wire_numbers_are_little_endian),
		cmocka_unit_test(test_wire_reader_fails_once_and_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
