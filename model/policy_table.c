/* policy_table: texts with what rules say of them. */

#include "model/policy_table.h"

#include <string.h>

#define NONE       UINT32_MAX
#define HASH_START UINT32_C(2166136261)

struct policy_table_entry {
	const char *text;
	uint32_t length;
	struct policy_verdict verdict;
};

struct policy_table_slot {
	uint32_t hash;
	uint32_t at; /* of the entry, NONE = free */
};

void
policy_verdict_add(
	struct policy_verdict *verdict, const struct policy_line *line)
{
	if (line->deny)
		verdict->deny |= line->actions;
	else
		verdict->allow |= line->actions;
}

/* FNV-1a: grows byte by byte, so a name gives all its prefixes in one go. */
static uint32_t
hash_add(uint32_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * UINT32_C(16777619);
}

/* The low bits of FNV alone are poor. */
static uint32_t
hash_end(uint32_t hash)
{
	return (hash ^ (hash >> 15)) * UINT32_C(0x2c1b3c6d);
}

static uint32_t
hash_text(const char *text, size_t length, enum policy_end end)
{
	uint32_t hash = HASH_START;

	for (size_t i = 0; i < length; i++)
		hash = hash_add(
			hash, text[end == POLICY_FRONT ? i : length - 1 - i]);
	return hash_end(hash);
}

void
policy_table_init(
	struct policy_table *table, struct arena *arena, size_t capacity)
{
	size_t slots = 4;

	while (slots < capacity * 2)
		slots *= 2;
	table->mask = (uint32_t)slots - 1;
	table->slots = arena_array(arena, slots, sizeof(*table->slots));
	for (size_t i = 0; i < slots; i++)
		table->slots[i].at = NONE;
	table->entries = arena_array(arena, capacity, sizeof(*table->entries));
}

/* The slot of a text, or the free one where it belongs. */
static struct policy_table_slot *
find_slot(const struct policy_table *table, uint32_t hash, const char *text,
	size_t length)
{
	for (uint32_t i = hash & table->mask;; i = (i + 1) & table->mask) {
		struct policy_table_slot *slot = &table->slots[i];
		const struct policy_table_entry *entry;

		if (slot->at == NONE)
			return slot;
		entry = &table->entries[slot->at];
		if (slot->hash == hash && entry->length == length &&
			memcmp(entry->text, text, length) == 0)
			return slot;
	}
}

static bool
has_length(const struct policy_table *table, size_t length)
{
	return (table->lengths[length / 64] >> (length % 64) & 1) != 0;
}

void
policy_table_add(struct policy_table *table, const char *text, size_t length,
	enum policy_end end, const struct policy_line *line)
{
	uint32_t hash = hash_text(text, length, end);
	struct policy_table_slot *slot;

	if (length > POLICY_TABLE_LENGTH_MAX)
		return;
	slot = find_slot(table, hash, text, length);
	if (slot->at == NONE) {
		*slot = (struct policy_table_slot){hash, table->count};
		table->entries[table->count++] = (struct policy_table_entry){
			.text = text, .length = (uint32_t)length};
	}
	policy_verdict_add(&table->entries[slot->at].verdict, line);
	policy_verdict_add(&table->all, line);
	table->lengths[length / 64] |= UINT64_C(1) << (length % 64);
}

static void
find(const struct policy_table *table, uint32_t hash, const char *text,
	size_t length, struct policy_verdict *verdict)
{
	const struct policy_table_slot *slot =
		find_slot(table, hash, text, length);

	if (slot->at == NONE)
		return;
	verdict->allow |= table->entries[slot->at].verdict.allow;
	verdict->deny |= table->entries[slot->at].verdict.deny;
}

void
policy_table_find(const struct policy_table *table, const char *text,
	size_t length, struct policy_verdict *verdict)
{
	if (length <= POLICY_TABLE_LENGTH_MAX && has_length(table, length))
		find(table, hash_text(text, length, POLICY_FRONT), text, length,
			verdict);
}

void
policy_table_find_ends(const struct policy_table *table, const char *name,
	size_t length, enum policy_end end, struct policy_verdict *verdict)
{
	uint32_t hash = HASH_START;

	for (size_t i = 0; i < length && i < POLICY_TABLE_LENGTH_MAX; i++) {
		const char *back = name + length - 1 - i;

		hash = hash_add(hash, end == POLICY_FRONT ? name[i] : *back);
		if (has_length(table, i + 1))
			find(table, hash_end(hash),
				end == POLICY_FRONT ? name : back, i + 1,
				verdict);
	}
}
