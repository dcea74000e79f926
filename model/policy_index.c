/* policy_index: rules compiled for finding what is said of a name. */

#include "model/policy_index.h"

#include <stdlib.h>
#include <string.h>

#include "lib/memory.h"
#include "model/policy_table.h"

#define GRAM_BYTES   3
#define PRESENT_BITS 16
#define COUNTS_BITS  14
#define NONE         UINT32_MAX

/* --- patterns ----------------------------------------------------------- */

/* Bytes of the character at "text"; a broken one counts as one byte. */
static size_t
character_bytes(const char *text)
{
	size_t bytes = 1;

	while ((text[bytes] & 0xc0) == 0x80)
		bytes++;
	return bytes;
}

/*
 * Only the last "*" is ever tried again, one byte further each time, so the
 * work is at most pattern times name.
 */
bool
policy_matches(const char *pattern, const char *name)
{
	const char *star = NULL;
	const char *again = NULL;

	while (*name != '\0') {
		if (*pattern == '*') {
			star = ++pattern;
			again = name;
		} else if (*pattern == '?') {
			pattern++;
			name += character_bytes(name);
		} else if (*pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++again;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

/* A pattern that is in no table; patterns of one gram are a chain. */
struct general {
	const char *text;
	uint64_t letters;
	struct policy_verdict verdict;
	uint32_t next;
};

/* Which bytes a text has but "*" and "?", roughly: a bit stands for four. What
 * a pattern has and a name has not settles the question without a match. */
static uint64_t
letters_of(const char *text)
{
	uint64_t letters = 0;

	for (; *text != '\0'; text++)
		if (*text != '*' && *text != '?')
			letters |= UINT64_C(1) << (*text & 63);
	return letters;
}

/* Three bytes of a text as a number. */
static uint32_t
gram_at(const char *text)
{
	const unsigned char *byte = (const unsigned char *)text;

	return (uint32_t)byte[0] << 16 | (uint32_t)byte[1] << 8 | byte[2];
}

static uint32_t
gram_hash(uint32_t gram)
{
	return gram * UINT32_C(0x9e3779b1);
}

/* The next three bytes of "pattern" at or behind "at" without a wildcard. */
static const char *
next_gram(const char *at)
{
	for (;;) {
		size_t run = strcspn(at, "*?");

		if (run >= GRAM_BYTES)
			return at;
		if (at[run] == '\0')
			return NULL;
		at += run + 1;
	}
}

/* How often each gram occurs, roughly: grams of one hash are added up. */
static void
count_grams(const struct general *patterns, size_t count, uint32_t *counts)
{
	for (size_t i = 0; i < count; i++)
		for (const char *at = next_gram(patterns[i].text); at != NULL;
			at = next_gram(at + 1))
			counts[gram_hash(gram_at(at)) >> (32 - COUNTS_BITS)]++;
}

/* The gram of a pattern that fewest patterns have; NULL when it has none. */
static const char *
rarest_gram(const char *pattern, const uint32_t *counts)
{
	uint32_t least = UINT32_MAX;
	const char *best = NULL;

	for (const char *at = next_gram(pattern); at != NULL;
		at = next_gram(at + 1)) {
		uint32_t times =
			counts[gram_hash(gram_at(at)) >> (32 - COUNTS_BITS)];

		if (times < least) {
			least = times;
			best = at;
		}
	}
	return best;
}

/* --- one datasource ----------------------------------------------------- */

struct gram {
	uint32_t gram;
	uint32_t first; /* of the chain, NONE = a free place */
};

/* The rules of one datasource, or (0) those of every one. */
struct realm {
	int64_t datasource_id;
	struct policy_verdict everything; /* of "*" */
	struct policy_verdict anything;   /* of all rules together */
	struct policy_table exact;
	struct policy_table prefixes;
	struct policy_table suffixes;
	struct general *general;
	uint32_t general_count;
	struct policy_verdict general_all;
	uint32_t wide; /* the chain of those without a gram */
	struct gram *grams;
	uint32_t grams_mask;
	uint64_t *present; /* a bit for the hash of each gram in use */
};

struct policy_index {
	size_t count;
	struct realm *realms; /* by datasource */
};

enum form { FORM_EXACT, FORM_EVERYTHING, FORM_PREFIX, FORM_SUFFIX, FORM_OTHER };

static enum form
form_of(const struct policy_line *line)
{
	const char *pattern = line->object;
	size_t stars = strspn(pattern, "*");
	size_t run = strcspn(pattern, "*?");

	if (line->literal || pattern[run] == '\0')
		return FORM_EXACT;
	if (pattern[stars] == '\0')
		return FORM_EVERYTHING;
	if (pattern[run + strspn(pattern + run, "*")] == '\0')
		return FORM_PREFIX;
	if (stars > 0 && strpbrk(pattern + stars, "*?") == NULL)
		return FORM_SUFFIX;
	return FORM_OTHER;
}

static void
add_general(struct realm *realm, const struct policy_line *line)
{
	struct general *general = &realm->general[realm->general_count++];

	*general = (struct general){
		.text = line->object,
		.letters = letters_of(line->object),
		.next = NONE,
	};
	policy_verdict_add(&general->verdict, line);
	policy_verdict_add(&realm->general_all, line);
}

static void
add_line(struct realm *realm, const struct policy_line *line)
{
	const char *text = line->object;
	size_t stars = strspn(text, "*");

	policy_verdict_add(&realm->anything, line);
	switch (form_of(line)) {
	case FORM_EVERYTHING:
		policy_verdict_add(&realm->everything, line);
		break;
	case FORM_EXACT:
		policy_table_add(
			&realm->exact, text, strlen(text), POLICY_FRONT, line);
		break;
	case FORM_PREFIX:
		policy_table_add(&realm->prefixes, text, strcspn(text, "*"),
			POLICY_FRONT, line);
		break;
	case FORM_SUFFIX:
		policy_table_add(&realm->suffixes, text + stars,
			strlen(text + stars), POLICY_BACK, line);
		break;
	case FORM_OTHER:
		add_general(realm, line);
	}
}

/* Most grams of a name are in no chain: this small map says so. */
static uint32_t
present_place(uint32_t gram)
{
	return gram_hash(gram) >> (32 - PRESENT_BITS);
}

static void
set_present(struct realm *realm, uint32_t gram)
{
	uint32_t place = present_place(gram);

	realm->present[place / 64] |= UINT64_C(1) << (place % 64);
}

static bool
is_present(const struct realm *realm, uint32_t gram)
{
	uint32_t place = present_place(gram);

	return (realm->present[place / 64] >> (place % 64) & 1) != 0;
}

static struct gram *
find_gram(const struct realm *realm, uint32_t gram)
{
	for (uint32_t i = gram_hash(gram) >> 8;; i++) {
		struct gram *place = &realm->grams[i & realm->grams_mask];

		if (place->first == NONE || place->gram == gram)
			return place;
	}
}

static void
chain_general(struct realm *realm, struct arena *arena)
{
	uint32_t *counts;
	uint32_t places = 4;

	if (realm->general_count == 0)
		return;
	counts = memory_new(UINT32_C(1) << COUNTS_BITS, sizeof(*counts));
	while (places < realm->general_count * 2)
		places *= 2;
	realm->grams_mask = places - 1;
	realm->grams = arena_array(arena, places, sizeof(*realm->grams));
	for (uint32_t i = 0; i < places; i++)
		realm->grams[i].first = NONE;
	realm->present = arena_array(
		arena, (1U << PRESENT_BITS) / 64, sizeof(*realm->present));
	count_grams(realm->general, realm->general_count, counts);
	for (uint32_t i = 0; i < realm->general_count; i++) {
		struct general *general = &realm->general[i];
		const char *at = rarest_gram(general->text, counts);
		struct gram *place =
			at != NULL ? find_gram(realm, gram_at(at)) : NULL;
		uint32_t *chain = place != NULL ? &place->first : &realm->wide;

		if (place != NULL) {
			place->gram = gram_at(at);
			set_present(realm, place->gram);
		}
		general->next = *chain;
		*chain = i;
	}
	free(counts);
}

/* --- building ----------------------------------------------------------- */

static int
by_datasource(const void *left, const void *right)
{
	int64_t a = ((const struct policy_line *)left)->datasource_id;
	int64_t b = ((const struct policy_line *)right)->datasource_id;

	return (a > b) - (a < b);
}

static void
build_realm(struct realm *realm, struct arena *arena,
	const struct policy_line *lines, size_t count)
{
	size_t forms[FORM_OTHER + 1] = {0};

	realm->datasource_id = lines->datasource_id;
	realm->wide = NONE;
	for (size_t i = 0; i < count; i++)
		forms[form_of(&lines[i])]++;
	policy_table_init(&realm->exact, arena, forms[FORM_EXACT]);
	policy_table_init(&realm->prefixes, arena, forms[FORM_PREFIX]);
	policy_table_init(&realm->suffixes, arena, forms[FORM_SUFFIX]);
	realm->general =
		arena_array(arena, forms[FORM_OTHER], sizeof(*realm->general));
	for (size_t i = 0; i < count; i++)
		add_line(realm, &lines[i]);
	chain_general(realm, arena);
}

const struct policy_index *
policy_index_build(
	struct arena *arena, const struct policy_line *lines, size_t count)
{
	struct policy_index *index = arena_alloc(arena, sizeof(*index));
	struct policy_line *sorted;
	size_t end;

	if (count == 0)
		return index;
	sorted = memory_new(count, sizeof(*sorted));
	memcpy(sorted, lines, count * sizeof(*lines));
	qsort(sorted, count, sizeof(*sorted), by_datasource);
	for (size_t i = 0; i < count; i++)
		index->count += i == 0 || sorted[i].datasource_id !=
						  sorted[i - 1].datasource_id;
	index->realms =
		arena_array(arena, index->count, sizeof(*index->realms));
	for (size_t i = 0, made = 0; i < count; i = end) {
		for (end = i + 1;
			end < count &&
			sorted[end].datasource_id == sorted[i].datasource_id;
			end++)
			;
		build_realm(&index->realms[made++], arena, &sorted[i], end - i);
	}
	free(sorted);
	return index;
}

/* --- finding ------------------------------------------------------------ */

/* What is looked for, and what was found so far. */
struct search {
	const char *name;
	size_t length;
	uint64_t letters;
	uint32_t wanted;
	struct policy_verdict verdict;
};

/* Can rules that say this change the answer? */
static bool
matters(const struct search *search, struct policy_verdict all)
{
	uint32_t open = search->wanted & ~search->verdict.deny;

	return ((all.deny | (all.allow & ~search->verdict.allow)) & open) != 0;
}

static void
search_chain(struct search *search, const struct realm *realm, uint32_t at)
{
	for (; at != NONE; at = realm->general[at].next) {
		const struct general *general = &realm->general[at];

		if ((general->letters & ~search->letters) != 0 ||
			!matters(search, general->verdict) ||
			!policy_matches(general->text, search->name))
			continue;
		search->verdict.allow |= general->verdict.allow;
		search->verdict.deny |= general->verdict.deny;
	}
}

static void
search_realm(struct search *search, const struct realm *realm)
{
	const char *name = search->name;
	size_t length = search->length;

	if (!matters(search, realm->anything))
		return;
	search->verdict.allow |= realm->everything.allow;
	search->verdict.deny |= realm->everything.deny;
	policy_table_find(&realm->exact, name, length, &search->verdict);
	if (matters(search, realm->prefixes.all))
		policy_table_find_ends(&realm->prefixes, name, length,
			POLICY_FRONT, &search->verdict);
	if (matters(search, realm->suffixes.all))
		policy_table_find_ends(&realm->suffixes, name, length,
			POLICY_BACK, &search->verdict);
	if (!matters(search, realm->general_all))
		return;
	if (search->letters == 0)
		search->letters = letters_of(name);
	search_chain(search, realm, realm->wide);
	for (size_t i = 0; i + GRAM_BYTES <= length; i++) {
		uint32_t gram = gram_at(name + i);

		if (is_present(realm, gram))
			search_chain(
				search, realm, find_gram(realm, gram)->first);
	}
}

static const struct realm *
find_realm(const struct policy_index *index, int64_t datasource_id)
{
	size_t low = 0;
	size_t high = index->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->realms[middle].datasource_id < datasource_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < index->count &&
			       index->realms[low].datasource_id == datasource_id
		       ? &index->realms[low]
		       : NULL;
}

struct policy_verdict
policy_index_find(const struct policy_index *index, int64_t datasource_id,
	const char *name, uint32_t wanted)
{
	const struct realm *every = find_realm(index, 0);
	const struct realm *own =
		datasource_id != 0 ? find_realm(index, datasource_id) : NULL;
	struct search search = {
		.name = name, .length = strlen(name), .wanted = wanted};

	if (own != NULL)
		search_realm(&search, own);
	if (every != NULL)
		search_realm(&search, every);
	return search.verdict;
}

/* The rules about every datasource and those about this one. */
#define REALMS                                                                 \
	{                                                                      \
		find_realm(index, 0),                                          \
			datasource_id != 0 ? find_realm(index, datasource_id)  \
					   : NULL                              \
	}

struct policy_verdict
policy_index_touch(const struct policy_index *index, int64_t datasource_id)
{
	const struct realm *realms[] = REALMS;
	struct policy_verdict verdict = {0, 0};

	for (size_t i = 0; i < ARRAY_LENGTH(realms); i++) {
		if (realms[i] == NULL)
			continue;
		verdict.allow |= realms[i]->anything.allow;
		verdict.deny |= realms[i]->everything.deny;
	}
	return verdict;
}

struct policy_verdict
policy_index_whole(const struct policy_index *index, int64_t datasource_id)
{
	const struct realm *realms[] = REALMS;
	struct policy_verdict verdict = {0, 0};

	for (size_t i = 0; i < ARRAY_LENGTH(realms); i++) {
		if (realms[i] == NULL)
			continue;
		verdict.allow |= realms[i]->everything.allow;
		verdict.deny |= realms[i]->anything.deny;
	}
	return verdict;
}

struct policy_verdict
policy_lines_find(const struct policy_line *lines, size_t count,
	int64_t datasource_id, const char *name)
{
	struct policy_verdict verdict = {0, 0};

	for (size_t i = 0; i < count; i++) {
		const struct policy_line *line = &lines[i];

		if (line->datasource_id != 0 &&
			line->datasource_id != datasource_id)
			continue;
		if (line->literal ? strcmp(line->object, name) == 0
				  : policy_matches(line->object, name))
			policy_verdict_add(&verdict, line);
	}
	return verdict;
}
