/* word: what counts as a truth and as a number. */

#include "tests/unit/unit.h"

#include "lib/word.h"

static void
test_word_truth_knows_four_pairs(void **state)
{
	static const char *const yes[] = {"yes", "TRUE", "On", "1"};
	static const char *const no[] = {"no", "False", "OFF", "0"};
	static const char *const neither[] = {"", "y", "2", "true ", "nein"};
	bool truth = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(yes); i++) {
		assert_true(word_truth(yes[i], &truth));
		assert_true(truth);
		assert_true(word_truth(no[i], &truth));
		assert_false(truth);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(neither); i++)
		assert_false(word_truth(neither[i], &truth));
}

static void
test_word_number_takes_a_comma_for_a_point(void **state)
{
	static const char *const none[] = {"", " ", "1 m", "1,2,3", "1.000,5",
		"inf", "nan", "1e999",
		"0.000000000000000000000000000000000000000000000000000000000000"
		"00001"};
	double number = 0;

	(void)state;
	assert_true(word_number("-1.5e3", &number));
	assert_true(number == -1500);
	assert_true(word_number("0,5", &number));
	assert_true(number == 0.5);
	for (size_t i = 0; i < ARRAY_LENGTH(none); i++)
		assert_false(word_number(none[i], &number));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_word_truth_knows_four_pairs),
		cmocka_unit_test(test_word_number_takes_a_comma_for_a_point),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
