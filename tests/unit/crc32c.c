/* crc32c: known values of RFC 3720 and joining of pieces. */

#include "lib/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
test_crc32c_has_the_known_values(void **state)
{
	uint8_t zeros[32] = {0};
	uint8_t rising[32];

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		rising[i] = i;
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(0, zeros, sizeof(zeros)), 0x8a9136aa);
	assert_int_equal(crc32c(0, rising, sizeof(rising)), 0x46dd794e);
	assert_int_equal(crc32c(0, "", 0), 0);
}

static void
test_crc32c_of_pieces_is_that_of_the_whole(void **state)
{
	static const char text[] = "every sample arrives exactly once";
	uint32_t whole = crc32c(0, text, sizeof(text));

	(void)state;
	for (size_t cut = 0; cut <= sizeof(text); cut++)
		assert_int_equal(whole, crc32c(crc32c(0, text, cut), text + cut,
						sizeof(text) - cut));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc32c_has_the_known_values),
		cmocka_unit_test(test_crc32c_of_pieces_is_that_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
