/* caller_gate: who was found good less than a second ago. */

#include "model/caller_gate.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/memory.h"

#define KNOWN_ENTRIES 1024
#define KNOWN_US      CLOCK_SECOND_US
#define TEXT_BYTES    160
#define SCOPES_BYTES  512

/* A caller that was found good not long ago. */
struct known {
	uint8_t key[SECRET_HASH_BYTES];
	int64_t checked_us; /* steady clock */
	struct caller caller;
	char subject[TEXT_BYTES];
	char name[TEXT_BYTES];
	char client[TEXT_BYTES];
	char csrf[TEXT_BYTES];
	char scopes[SCOPES_BYTES];
};

struct caller_gate *
caller_gate_new(const char *issuer)
{
	struct caller_gate *gate = memory_new(1, sizeof(*gate));

	gate->issuer = strdup(issuer != NULL ? issuer : "");
	if (gate->issuer == NULL)
		abort();
	gate->ring = jwt_ring_new();
	gate->known = memory_new(KNOWN_ENTRIES, sizeof(*gate->known));
	return gate;
}

void
caller_gate_free(struct caller_gate *gate)
{
	if (gate == NULL)
		return;
	jwt_ring_free(gate->ring);
	free(gate->known);
	free(gate->issuer);
	free(gate);
}

void
caller_gate_forget(struct caller_gate *gate)
{
	gate->forgot_us = clock_steady_us();
	gate->keys_read_us = 0;
}

static bool
copy_text(char *to, size_t size, const char **field)
{
	if (*field == NULL)
		return true;
	if (strlen(*field) >= size)
		return false;
	strcpy(to, *field);
	*field = to;
	return true;
}

static struct known *
known_place(struct caller_gate *gate, const uint8_t key[SECRET_HASH_BYTES])
{
	return &gate->known[(key[0] | key[1] << 8) % KNOWN_ENTRIES];
}

void
caller_remember(struct caller_gate *gate, const uint8_t key[SECRET_HASH_BYTES],
	const struct caller *caller)
{
	struct known *known = known_place(gate, key);

	memcpy(known->key, key, sizeof(known->key));
	known->caller = *caller;
	known->checked_us = 0;
	if (copy_text(known->subject, TEXT_BYTES, &known->caller.subject) &&
		copy_text(known->name, TEXT_BYTES, &known->caller.name) &&
		copy_text(known->client, TEXT_BYTES, &known->caller.client) &&
		copy_text(known->csrf, TEXT_BYTES, &known->caller.csrf) &&
		copy_text(known->scopes, SCOPES_BYTES, &known->caller.scopes))
		known->checked_us = clock_steady_us();
}

static const char *
dup_or_null(struct arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

/* The entry may be overwritten while a request is under way: copy it. */
struct caller *
caller_recall(struct caller_gate *gate, struct arena *arena,
	const uint8_t key[SECRET_HASH_BYTES])
{
	const struct known *known = known_place(gate, key);
	struct caller *caller;

	if (memcmp(known->key, key, sizeof(known->key)) != 0 ||
		known->checked_us <= gate->forgot_us ||
		clock_steady_us() - known->checked_us > KNOWN_US ||
		clock_now_us() >= known->caller.expires_us)
		return NULL;
	caller = arena_memdup(arena, &known->caller, sizeof(*caller));
	caller->subject = dup_or_null(arena, caller->subject);
	caller->name = dup_or_null(arena, caller->name);
	caller->client = dup_or_null(arena, caller->client);
	caller->csrf = dup_or_null(arena, caller->csrf);
	caller->scopes = dup_or_null(arena, caller->scopes);
	return caller;
}
