/*
 * policy_index: rules compiled so that a name finds what they say of it
 * without a look at each of them.
 *
 * Exact names are in one hash table, patterns of the forms "text*" and "*text"
 * in two more, found by each of their lengths that occurs. Every other pattern
 * is filed under the rarest three bytes that a name must contain to match it.
 * Only patterns without three bytes in a row, such as "*a*", are tried one by
 * one.
 */
#ifndef FG_MODEL_POLICY_INDEX_H
#define FG_MODEL_POLICY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/arena.h"

/* One rule about one object. */
struct policy_line {
	int64_t datasource_id; /* 0 = every one */
	const char *object;    /* a pattern, or a name when "literal" */
	uint32_t actions;      /* bits of enum policy_action */
	bool literal;          /* "*" and "?" mean themselves */
	bool deny;
};

/* Bits of actions that rules allow and that rules deny. */
struct policy_verdict {
	uint32_t allow;
	uint32_t deny;
};

struct policy_index;

/* The texts of "lines" must live as long as "arena", where the index is. */
const struct policy_index *policy_index_build(
	struct arena *arena, const struct policy_line *lines, size_t count);

/*
 * What the rules say of a name, as far as the actions "wanted" go: a bit of
 * "allow" may be missing where "deny" has it.
 */
struct policy_verdict policy_index_find(const struct policy_index *index,
	int64_t datasource_id, const char *name, uint32_t wanted);

/* What the rules say of a datasource: "allow" of anything in it, "deny" of
 * everything in it. */
struct policy_verdict policy_index_touch(
	const struct policy_index *index, int64_t datasource_id);

/* What the rules say of a datasource as a whole: "allow" of everything in it,
 * "deny" of anything in it. */
struct policy_verdict policy_index_whole(
	const struct policy_index *index, int64_t datasource_id);

/* The same as policy_index_find, by looking at each line: the measure of what
 * is right, for tests and benches. */
struct policy_verdict policy_lines_find(const struct policy_line *lines,
	size_t count, int64_t datasource_id, const char *name);

/* A name against a pattern of "*" (any run) and "?" (any one character). */
bool policy_matches(const char *pattern, const char *name);

#endif
