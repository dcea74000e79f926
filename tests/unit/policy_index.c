/* policy_index: compiled rules against the same rules one by one. */

#include "tests/unit/with_arena.h"

#include <string.h>

#include "model/policy_index.h"
#include "tests/unit/series.h"

#define RULES 3000

/* Few words, so that much matches. */
static const char *
random_name(struct series *random, bool wild)
{
	static const char *const words[] = {"site", "wt01", "wt02", "power",
		"a", "dc", "K\xc3\xbchler", "inverter"};
	static const char *const wilds[] = {"*", "?", "w*", "*er", "??"};
	char text[128] = "";
	size_t count = 1 + series_random(random) % 4;

	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			strcat(text, "/");
		if (wild && series_random(random) % 3 == 0)
			strcat(text, wilds[series_random(random) % 5]);
		else
			strcat(text, words[series_random(random) % 8]);
	}
	return arena_strdup(arena, text);
}

static void
random_lines(struct series *random, struct policy_line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		lines[i] = (struct policy_line){
			.datasource_id = (int64_t)(series_random(random) % 3),
			.object = random_name(
				random, series_random(random) % 4 != 0),
			.actions = 1 + (uint32_t)(series_random(random) % 511),
			.literal = series_random(random) % 4 == 0,
			.deny = series_random(random) % 8 == 0,
		};
}

static void
check_name(const struct policy_index *index, const struct policy_line *lines,
	size_t count, int64_t datasource_id, const char *name)
{
	struct policy_verdict right =
		policy_lines_find(lines, count, datasource_id, name);

	for (uint32_t wanted = 1; wanted <= 256; wanted *= 2) {
		struct policy_verdict found =
			policy_index_find(index, datasource_id, name, wanted);

		assert_int_equal(found.deny & wanted, right.deny & wanted);
		assert_int_equal(found.allow & ~found.deny & wanted,
			right.allow & ~right.deny & wanted);
	}
}

static void
test_policy_index_says_what_the_rules_say(void **state)
{
	struct series random = {.seed = 20261121};
	static struct policy_line lines[RULES];

	(void)state;
	for (size_t count = 1; count <= RULES; count = count * 3 / 2 + 1) {
		const struct policy_index *index;

		random_lines(&random, lines, count);
		index = policy_index_build(arena, lines, count);
		for (size_t i = 0; i < 200; i++)
			check_name(index, lines, count, (int64_t)(i % 4),
				random_name(&random, false));
	}
}

static void
test_policy_index_takes_names_literally(void **state)
{
	const struct policy_line lines[] = {
		{.object = "a*", .literal = true, .actions = 1},
		{.object = "b?", .actions = 1},
	};
	const struct policy_index *index = policy_index_build(arena, lines, 2);

	(void)state;
	assert_int_equal(policy_index_find(index, 1, "a*", 1).allow, 1);
	assert_int_equal(policy_index_find(index, 1, "ab", 1).allow, 0);
	assert_int_equal(policy_index_find(index, 1, "bb", 1).allow, 1);
	assert_int_equal(policy_index_find(index, 1, "b", 1).allow, 0);
}

static void
test_policy_index_touches(void **state)
{
	const struct policy_line lines[] = {
		{.object = "x", .datasource_id = 1, .actions = 3},
		{.object = "*", .datasource_id = 2, .actions = 1},
		{.object = "*", .datasource_id = 1, .actions = 2, .deny = true},
		{.object = "y", .actions = 4},
	};
	const struct policy_index *index = policy_index_build(arena, lines, 4);
	struct policy_verdict one = policy_index_touch(index, 1);
	struct policy_verdict other = policy_index_touch(index, 3);

	(void)state;
	assert_int_equal(one.allow & ~one.deny, 1 | 4);
	assert_int_equal(other.allow & ~other.deny, 4);
}

/* What holds for every name may be taken for granted without asking for one. */
static void
test_policy_index_whole_is_what_every_name_gets(void **state)
{
	struct series random = {.seed = 11};

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct policy_line lines[4] = {{.object = "*", .actions = 7}};
		const struct policy_index *index;
		struct policy_verdict whole;

		random_lines(&random, lines + 1, 3);
		index = policy_index_build(arena, lines, 4);
		whole = policy_index_whole(index, 1);
		for (int i = 0; i < 20; i++) {
			struct policy_verdict one = policy_lines_find(
				lines, 4, 1, random_name(&random, false));

			assert_int_equal(whole.allow & ~whole.deny &
						 ~(one.allow & ~one.deny),
				0);
		}
	}
}

static void
test_policy_index_of_nothing_says_nothing(void **state)
{
	const struct policy_index *index = policy_index_build(arena, NULL, 0);

	(void)state;
	assert_int_equal(policy_index_find(index, 1, "a", 1).allow, 0);
	assert_int_equal(policy_index_touch(index, 1).allow, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_index_says_what_the_rules_say),
		cmocka_unit_test(test_policy_index_takes_names_literally),
		cmocka_unit_test(test_policy_index_touches),
		cmocka_unit_test(
			test_policy_index_whole_is_what_every_name_gets),
		cmocka_unit_test(test_policy_index_of_nothing_says_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
