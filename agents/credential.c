/* credential: key and certificate of this node as files. */

#include "agents/credential.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/tls.h"
#include "lib/tls_bundle.h"
#include "lib/tls_key.h"
#include "lib/tls_request.h"

#define PEM_BYTES ((size_t)64 * 1024)

struct credential
credential_of(struct arena *arena, const char *ca, const char *certificate,
	const char *key)
{
	return (struct credential){
		.ca = ca,
		.certificate = certificate,
		.key = key,
		.next_certificate = arena_printf(arena, "%s.next", certificate),
		.next_key = arena_printf(arena, "%s.next", key),
	};
}

/* "" when it cannot be read. */
static const char *
read_text(struct arena *arena, const char *path)
{
	struct fault ignored;
	char *text = NULL;

	return file_read(arena, path, PEM_BYTES, &text, NULL, &ignored) == RC_OK
		       ? text
		       : "";
}

static bool
belong(struct arena *arena, const char *certificate, const char *key)
{
	return tls_match(
		arena, read_text(arena, certificate), read_text(arena, key));
}

bool
credential_has_next(struct arena *arena, const struct credential *files)
{
	return access(files->next_certificate, F_OK) == 0 &&
	       belong(arena, files->next_certificate, files->next_key);
}

static enum rc
take_place(const char *from, const char *to, struct fault *fault)
{
	if (rename(from, to) != 0)
		return fault_set(fault, RC_IO, "%s: %s", to, strerror(errno));
	(void)file_sync_folder(to);
	return RC_OK;
}

enum rc
credential_switch(const struct credential *files, struct fault *fault)
{
	enum rc rc = take_place(files->next_key, files->key, fault);

	if (rc == RC_OK)
		rc = take_place(
			files->next_certificate, files->certificate, fault);
	return rc;
}

void
credential_discard(const struct credential *files)
{
	unlink(files->next_certificate);
	unlink(files->next_key);
}

enum rc
credential_settle(struct arena *arena, const struct credential *files,
	struct fault *fault)
{
	if (credential_has_next(arena, files))
		return RC_OK;
	/* Between the two steps of credential_switch. */
	if (access(files->next_certificate, F_OK) == 0 &&
		belong(arena, files->next_certificate, files->key))
		return take_place(
			files->next_certificate, files->certificate, fault);
	credential_discard(files);
	return RC_OK;
}

enum rc
credential_times(struct arena *arena, const struct credential *files,
	int64_t *renew_us, int64_t *end_us, struct fault *fault)
{
	struct tls_facts facts;
	char *pem = NULL;
	enum rc rc = file_read(
		arena, files->certificate, PEM_BYTES, &pem, NULL, fault);

	if (rc == RC_OK)
		rc = tls_read(arena, pem, &facts, fault);
	if (rc != RC_OK)
		return rc;
	*renew_us = tls_renew_from_us(&facts);
	*end_us = facts.not_after_us;
	return RC_OK;
}

enum rc
credential_prepare(struct arena *arena, const struct credential *files,
	const char **csr, struct fault *fault)
{
	uint8_t hash[TLS_KEY_HASH_BYTES];
	struct tls_key key;
	enum rc rc = tls_key_new(arena, TLS_EC_P256, &key, fault);

	if (rc == RC_OK)
		rc = tls_request_write(
			arena, key.private_pem, "node", csr, hash, fault);
	if (rc == RC_OK)
		rc = file_write(files->next_key, key.private_pem, 0600, fault);
	return rc;
}

enum rc
credential_accept(struct arena *arena, const struct credential *files,
	const char *pem, struct fault *fault)
{
	const char *chain = pem;
	struct fault ignored;

	if (!tls_match(arena, pem, read_text(arena, files->next_key)))
		return fault_set(fault, RC_UPSTREAM,
			"the certificate is for another key");
	if (tls_bundle_chain(arena, pem, read_text(arena, files->ca), &chain,
		    &ignored) != RC_OK)
		chain = pem; /* then the hub must know who signed it */
	return file_write(files->next_certificate, chain, 0644, fault);
}

/* How much of a path is its folder, with the slash. */
static size_t
folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

enum rc
credential_trust(struct arena *arena, const struct credential *files,
	const char *bundle_pem, struct fault *fault)
{
	size_t length = folder_length(files->ca);

	if (length != folder_length(files->certificate) ||
		strncmp(files->ca, files->certificate, length) != 0 ||
		strcmp(bundle_pem, read_text(arena, files->ca)) == 0)
		return RC_OK;
	return file_write(files->ca, bundle_pem, 0644, fault);
}
