/*
 * policy: 1,000 variables against 10,000 rules, by kinds of rules.
 *
 * Prints one line per figure: name, value, unit, ratio, of what, wanted; with
 * tabs between them. "mixed" is half names, a quarter prefixes, a tenth
 * suffixes and the rest with "*" and "?" inside. The names are those of a plant
 * with 100 areas of 100 devices; every tenth rule denies, half of them are for
 * one datasource. Two names of five are such that no rule knows them.
 */

#include <stdio.h>
#include <string.h>

#include "lib/clock.h"
#include "model/policy.h"

#define RULES      10000
#define NAMES      1000
#define ROUNDS     100
#define DATASOURCE 7

static struct arena *arena;

static const char *const signals[] = {"power", "energy", "voltage_l1",
	"current", "temperature", "state", "alarm/high", "setpoint"};

/* The same numbers in every run (xorshift). */
static unsigned
pick(unsigned count)
{
	static uint64_t random = 20261121;

	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	return (unsigned)(random % count);
}

static const char *
signal(void)
{
	return signals[pick(ARRAY_LENGTH(signals))];
}

/* --- rules ---------------------------------------------------------------- */

static const char *
exact(void)
{
	return arena_printf(arena, "area%02u/device%03u/%s", pick(100),
		pick(100), signal());
}

static const char *
prefix(void)
{
	return pick(4) == 0 ? arena_printf(arena, "area%02u/*", pick(100))
			    : arena_printf(arena, "area%02u/device%03u/*",
				      pick(100), pick(100));
}

static const char *
suffix(void)
{
	return arena_printf(arena, "*/device%03u/%s", pick(100), signal());
}

static const char *
general(void)
{
	switch (pick(3)) {
	case 0:
		return arena_printf(
			arena, "area%02u/device*/%s", pick(100), signal());
	case 1:
		return arena_printf(
			arena, "area?%u/device%02u?/*", pick(10), pick(100));
	default:
		return arena_printf(
			arena, "*device%03u/*%u", pick(100), pick(10));
	}
}

/* No three bytes in a row: each is tried on each name. */
static const char *
wide(void)
{
	return arena_printf(arena, "*%u?%c*%c?*", pick(10),
		'a' + (char)pick(26), 'a' + (char)pick(26));
}

static const char *
mixed(void)
{
	unsigned kind = pick(100);

	return kind < 50   ? exact()
	       : kind < 75 ? prefix()
	       : kind < 85 ? suffix()
			   : general();
}

static struct policy_line *
make_rules(const char *(*make)(void))
{
	struct policy_line *lines = arena_array(arena, RULES, sizeof(*lines));

	for (size_t i = 0; i < RULES; i++)
		lines[i] = (struct policy_line){
			.datasource_id = pick(2) == 0 ? DATASOURCE : 0,
			.object = make(),
			.actions = pick(2) == 0 ? POLICY_READ_ALL : POLICY_ANY,
			.deny = pick(10) == 0,
		};
	return lines;
}

static const char **
make_names(void)
{
	const char **names = arena_array(arena, NAMES, sizeof(*names));

	for (size_t i = 0; i < NAMES; i++)
		names[i] = i % 5 < 3
				   ? exact()
				   : arena_printf(arena, "hall%02u/robot%u/%s",
					     pick(100), pick(1000), signal());
	return names;
}

/* --- measuring ------------------------------------------------------------ */

static size_t
find_all(const struct policy_index *index, const char *const *names)
{
	size_t allowed = 0;

	for (size_t i = 0; i < NAMES; i++) {
		struct policy_verdict verdict = policy_index_find(
			index, DATASOURCE, names[i], POLICY_READ_VALUES);

		allowed += (verdict.allow & ~verdict.deny &
				   POLICY_READ_VALUES) != 0;
	}
	return allowed;
}

/* As it was before: rule by rule, until one denies. */
static size_t
scan_all(const struct policy_line *lines, const char *const *names)
{
	size_t allowed = 0;

	for (size_t i = 0; i < NAMES; i++) {
		bool good = false;

		for (size_t k = 0; k < RULES; k++) {
			const struct policy_line *line = &lines[k];

			if ((line->actions & POLICY_READ_VALUES) == 0 ||
				(line->datasource_id != 0 &&
					line->datasource_id != DATASOURCE) ||
				!policy_matches(line->object, names[i]))
				continue;
			good = !line->deny;
			if (line->deny)
				break;
		}
		allowed += good;
	}
	return allowed;
}

static double
median_ms(double *times, size_t count)
{
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k > 0 && times[k] < times[k - 1]; k--) {
			double time = times[k];

			times[k] = times[k - 1];
			times[k - 1] = time;
		}
	return times[count / 2];
}

static double
ms_since(int64_t start_us)
{
	return (double)(clock_steady_us() - start_us) / 1000;
}

static void
measure(const char *name, const char *(*make)(void), const char *const *names,
	const char *wanted)
{
	struct policy_line *lines = make_rules(make);
	int64_t start_us = clock_steady_us();
	const struct policy_index *index =
		policy_index_build(arena, lines, RULES);
	double built_ms = ms_since(start_us);
	double times[ROUNDS];
	size_t allowed = 0;
	double scan_ms;
	double ms;

	for (size_t i = 0; i < ROUNDS; i++) {
		start_us = clock_steady_us();
		allowed = find_all(index, names);
		times[i] = ms_since(start_us);
	}
	ms = median_ms(times, ROUNDS);
	start_us = clock_steady_us();
	if (scan_all(lines, names) != allowed)
		fprintf(stderr, "%s: the index errs\n", name);
	scan_ms = ms_since(start_us);
	printf("1,000 variables, 10,000 rules: %s\t%g\tms\t\t\t%s\n", name, ms,
		wanted);
	printf("  rule by rule\t%g\ttimes\n", scan_ms / ms);
	printf("  compiling them (%zu allowed)\t%g\tms\n", allowed, built_ms);
}

int
main(void)
{
	const char **names;

	arena = arena_new();
	names = make_names();
	measure("mixed", mixed, names, "< 1 ms");
	measure("names", exact, names, "< 1 ms");
	measure("prefixes", prefix, names, "< 1 ms");
	measure("suffixes", suffix, names, "< 1 ms");
	measure("* and ? inside", general, names, "< 1 ms");
	measure("single letters, *1?a*b?*", wide, names, "");
	arena_free(arena);
	return 0;
}
