/* password: argon2id hashes of passwords. */

#include "lib/password.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

#include "lib/clock.h"
#include "lib/slots.h"

#define OPERATIONS   2
#define MEMORY_BYTES (19456UL * 1024)
#define SLOT_WAIT_US (2 * CLOCK_SECOND_US)

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

/* The first guesses of every attacker that are long enough to be set. */
static bool
is_well_known(const char *password)
{
	static const char *const known[] = {"password", "12345678", "123456789",
		"1234567890", "qwertyuiop", "qwerty123", "1q2w3e4r", "1qaz2wsx",
		"password1", "password123", "password12", "passw0rd",
		"p@ssw0rd", "p@ssword", "iloveyou", "sunshine", "princess",
		"football", "baseball", "superman", "trustno1", "whatever",
		"starwars", "11111111", "00000000", "88888888", "12341234",
		"11223344", "87654321", "abcd1234", "abc12345", "a1b2c3d4",
		"letmein1", "welcome1", "welcome123", "changeme", "changeit",
		"admin123", "administrator", "admin1234", "fieldgrid",
		"operator", "asdfghjkl", "zaq12wsx", "q1w2e3r4", "qazwsxedc",
		"computer", "internet", "michelle", "jennifer", "basketball",
		"liverpool", "test1234", "testtest", "default1", "passwort",
		"passwort1", "passwort123", "hallo123", "geheim123"};

	for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
		if (strcasecmp(known[i], password) == 0)
			return true;
	return false;
}

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
	enum rc rc = password_check(password, fault);
	int slot;
	int failed;

	if (rc != RC_OK)
		return rc;
	slot = slots_take(&hash_slots, SLOT_WAIT_US);
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
