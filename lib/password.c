/* password: argon2id hashes of passwords. */

#include "lib/password.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/slots.h"

#define OPERATIONS   2
#define MEMORY_BYTES (19456UL * 1024)
#define SLOT_WAIT_US (2 * CLOCK_SECOND_US)

#define LIST_BYTES_MIN ((size_t)30 * 1000)
#define LIST_BYTES_MAX ((size_t)1024 * 1024)

/* A hash of random bytes nobody kept, with today's parameters. */
static const char nobodys_hash[crypto_pwhash_STRBYTES] =
	"$argon2id$v=19$m=19456,t=2,p=1$BvMg2Z2hCkEzFqC7NLDbuQ$"
	"mZzNzS3pU1bTg3Jc1cQp2l3hXfYt8B0y5nQ2r6oV9dE";

/* Set once at start, before any thread; the locks are the kernel's. */
static struct slots hash_slots = {.file = -1};

enum rc
password_limit(const char *lock_path, int slots, struct fault *fault)
{
	slots_close(&hash_slots);
	return slots_open(&hash_slots, lock_path, slots, fault);
}

/* --- well-known ones --------------------------------------------------- */

/* The list of password_list_load: sorted lines in lower case. Set once at
 * start, lives as long as the process. */
static char *list_text;
static size_t list_bytes;

enum rc
password_list_load(const char *path, struct fault *fault)
{
	struct arena *arena = arena_new();
	char *text = NULL;
	size_t bytes = 0;
	enum rc rc =
		file_read(arena, path, LIST_BYTES_MAX, &text, &bytes, fault);

	if (rc == RC_OK && bytes < LIST_BYTES_MIN)
		rc = fault_set(fault, RC_IO, "%s: is too short", path);
	if (rc == RC_OK) {
		free(list_text);
		list_text = malloc(bytes + 1);
		if (list_text == NULL)
			abort();
		memcpy(list_text, text, bytes + 1);
		list_bytes = bytes;
	}
	arena_free(arena);
	return rc;
}

/* <0, 0, >0 as the line at "at" comes before "word", is it, comes after. */
static int
compare_line(const char *at, const char *word)
{
	size_t length = strcspn(at, "\n");
	int order = strncmp(at, word, length);

	return order != 0 || word[length] == '\0' ? order : -1;
}

/* Binary search over bytes: each probe goes back to the start of its line. */
static bool
is_listed(const char *word)
{
	size_t low = 0;
	size_t high = list_bytes;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order;

		while (middle > low && list_text[middle - 1] != '\n')
			middle--;
		order = compare_line(list_text + middle, word);
		if (order == 0)
			return true;
		if (order > 0)
			high = middle;
		else
			low = middle + strcspn(list_text + middle, "\n") + 1;
	}
	return false;
}

/* Words of this product, and of languages that the list does not know. */
static bool
is_ours(const char *word)
{
	static const char *const known[] = {"fieldgrid", "fieldgrid1",
		"fieldgrid123", "operator", "operator1", "engineer",
		"maintenance", "passwort", "passwort1", "passwort123",
		"hallo123", "geheim123", "changeit"};

	for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
		if (strcmp(known[i], word) == 0)
			return true;
	return false;
}

static bool
is_well_known(const char *password)
{
	char word[PASSWORD_BYTES_MAX + 1];
	size_t length = strlen(password);
	bool known;

	for (size_t i = 0; i <= length; i++)
		word[i] = (char)tolower((unsigned char)password[i]);
	known = is_ours(word) || is_listed(word);
	explicit_bzero(word, sizeof(word));
	return known;
}

/* --- hashes ------------------------------------------------------------ */

enum rc
password_check(const char *password, struct fault *fault)
{
	size_t bytes = strnlen(password, PASSWORD_BYTES_MAX + 1);

	if (bytes < PASSWORD_BYTES_MIN || bytes > PASSWORD_BYTES_MAX)
		return fault_tell(fault, RC_BAD_INPUT, "PasswordLength",
			"password", "A password has %d to %d bytes.",
			PASSWORD_BYTES_MIN, PASSWORD_BYTES_MAX);
	if (is_well_known(password))
		return fault_tell(fault, RC_BAD_INPUT, "PasswordWellKnown",
			"password",
			"This password is on every attacker's list; "
			"choose another.");
	return RC_OK;
}

enum rc
password_hash(struct arena *arena, const char *password, const char **hash,
	struct fault *fault)
{
	char *text = arena_alloc(arena, crypto_pwhash_STRBYTES);
	int slot = slots_take(&hash_slots, SLOT_WAIT_US);
	int failed;

	if (slot < 0)
		return fault_set(fault, RC_UNAVAILABLE, "all hash slots busy");
	failed = crypto_pwhash_str(
		text, password, strlen(password), OPERATIONS, MEMORY_BYTES);
	slots_give(&hash_slots, slot);
	if (failed != 0)
		return fault_set(fault, RC_UNAVAILABLE, "no memory to hash");
	*hash = text;
	return RC_OK;
}

enum rc
password_verify(const char *hash, const char *password, struct fault *fault)
{
	size_t bytes = strnlen(password, PASSWORD_BYTES_MAX + 1);
	int slot;
	int failed;

	if (bytes > PASSWORD_BYTES_MAX)
		return fault_set(fault, RC_UNAUTHENTICATED, "wrong password");
	slot = slots_take(&hash_slots, SLOT_WAIT_US);
	if (slot < 0)
		return fault_set(fault, RC_UNAVAILABLE, "all hash slots busy");
	failed = crypto_pwhash_str_verify(
		hash != NULL ? hash : nobodys_hash, password, bytes);
	slots_give(&hash_slots, slot);
	if (failed != 0 || hash == NULL)
		return fault_set(fault, RC_UNAUTHENTICATED, "wrong password");
	return RC_OK;
}

bool
password_is_dated(const char *hash)
{
	return crypto_pwhash_str_needs_rehash(hash, OPERATIONS, MEMORY_BYTES) !=
	       0;
}
