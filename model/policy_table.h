/*
 * policy_table: texts with what rules say of them, found by whole texts or by
 * the beginnings or ends of a name. For policy_index alone.
 */
#ifndef FG_MODEL_POLICY_TABLE_H
#define FG_MODEL_POLICY_TABLE_H

#include "model/policy_index.h"

/* Longer texts than any variable's name never match one. */
#define POLICY_TABLE_LENGTH_MAX 256

struct policy_table_slot;
struct policy_table_entry;

/* Open addressing, at most half full. */
struct policy_table {
	uint32_t mask;
	struct policy_table_slot *slots;
	struct policy_table_entry *entries;
	uint32_t count;
	struct policy_verdict all; /* of its entries together */
	uint64_t lengths[POLICY_TABLE_LENGTH_MAX / 64 + 1];
};

/* Which end of a name the texts are compared with. */
enum policy_end { POLICY_FRONT, POLICY_BACK };

/* Room for "capacity" texts. */
void policy_table_init(
	struct policy_table *table, struct arena *arena, size_t capacity);

/* Add what "line" says to the first "length" bytes of "text"; longer ones than
 * POLICY_TABLE_LENGTH_MAX are left out. */
void policy_table_add(struct policy_table *table, const char *text,
	size_t length, enum policy_end end, const struct policy_line *line);

/* What is said of exactly this text (front), added to "verdict". */
void policy_table_find(const struct policy_table *table, const char *text,
	size_t length, struct policy_verdict *verdict);

/* What is said of every beginning, or end, of a name. */
void policy_table_find_ends(const struct policy_table *table, const char *name,
	size_t length, enum policy_end end, struct policy_verdict *verdict);

/* The actions of a line as bits of what it says. */
void policy_verdict_add(
	struct policy_verdict *verdict, const struct policy_line *line);

#endif
