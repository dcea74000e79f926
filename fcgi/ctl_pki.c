/* ctl_pki: the files of the private authority. */

#include "fcgi/ctl_pki.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/secret.h"
#include "lib/tls_bundle.h"

#define ROOT_DAYS 7300
#define PEM_BYTES ((size_t)64 * 1024)

const char *
ctl_pki_path(struct ctl *ctl, const char *name)
{
	return arena_printf(ctl->arena, "%s/%s", ctl->conf.pki, name);
}

bool
ctl_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static enum rc
read_pem(struct ctl *ctl, const char *path, const char **pem)
{
	char *text = NULL;
	enum rc rc = file_read(
		ctl->arena, path, PEM_BYTES, &text, NULL, &ctl->fault);

	*pem = text;
	return rc;
}

/* The private half first: whoever sees the certificate finds the key. */
enum rc
ctl_pki_write(struct ctl *ctl, const char *name,
	const struct tls_identity *identity, mode_t key_mode)
{
	const char *key = arena_printf(ctl->arena, "%s.key", name);
	const char *certificate = arena_printf(ctl->arena, "%s.pem", name);
	enum rc rc = file_write(ctl_pki_path(ctl, key), identity->private_pem,
		key_mode, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	return file_write(ctl_pki_path(ctl, certificate),
		identity->certificate_pem, 0644, &ctl->fault);
}

/* --- whom everybody trusts --- */

enum rc
ctl_pki_bundle(struct ctl *ctl, const char **pem)
{
	return read_pem(ctl, ctl_pki_path(ctl, "ca.pem"), pem);
}

enum rc
ctl_pki_trust(struct ctl *ctl, const char *pem)
{
	const char *path = ctl_pki_path(ctl, "ca.pem");
	const char *before = "";
	const char *after;
	enum rc rc = RC_OK;

	if (ctl_exists(path))
		rc = ctl_pki_bundle(ctl, &before);
	if (rc != RC_OK)
		return rc;
	after = tls_bundle_join(ctl->arena, pem, before);
	return strcmp(after, before) == 0
		       ? RC_OK
		       : file_write(path, after, 0644, &ctl->fault);
}

/* --- the root --- */

static enum rc
make_root(struct ctl *ctl)
{
	struct tls_identity root;
	uint8_t random[4];
	enum rc rc;

	secret_random(random, sizeof(random));
	rc = tls_issue_root(ctl->arena,
		arena_printf(ctl->arena, "fieldgrid root %s",
			encode_hex(ctl->arena, random, sizeof(random))),
		ROOT_DAYS, &root, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_pki_write(ctl, "root", &root, 0400);
	if (rc == RC_OK)
		printf("The root is %s. Its key, %s, is needed only for "
		       "certificates of\nservers and authorities: take it "
		       "away from this machine and keep it safe.\n",
			ctl_pki_path(ctl, "root.pem"),
			ctl_pki_path(ctl, "root.key"));
	return rc;
}

static enum rc
make_seal(struct ctl *ctl)
{
	const char *text =
		arena_printf(ctl->arena, "%s\n", secret_token(ctl->arena));
	enum rc rc = file_write(ctl->conf.ca_seal, text, 0600, &ctl->fault);

	if (rc == RC_OK)
		printf("The seal of the authority is %s.\n", ctl->conf.ca_seal);
	return rc;
}

enum rc
ctl_pki_init(struct ctl *ctl)
{
	const char *path = ctl_pki_path(ctl, "root.pem");
	const char *pem = NULL;
	enum rc rc = RC_OK;

	if (!ctl_exists(path))
		rc = make_root(ctl);
	if (rc == RC_OK)
		rc = read_pem(ctl, path, &pem);
	if (rc == RC_OK)
		rc = ctl_pki_trust(ctl, pem);
	if (rc == RC_OK && !ctl_exists(ctl->conf.ca_seal))
		rc = make_seal(ctl);
	return rc;
}

enum rc
ctl_pki_root(struct ctl *ctl, struct tls_identity *root)
{
	const char *folder = ctl_option_or(ctl, "root", ctl->conf.pki);
	const char *key = arena_printf(ctl->arena, "%s/root.key", folder);
	enum rc rc;

	if (!ctl_exists(key))
		return fault_set(&ctl->fault, RC_IO,
			"%s is not there: bring the root's key back for this, "
			"or say with --root where it is",
			key);
	rc = read_pem(ctl, key, &root->private_pem);
	if (rc == RC_OK)
		rc = read_pem(ctl,
			arena_printf(ctl->arena, "%s/root.pem", folder),
			&root->certificate_pem);
	return rc;
}

enum rc
ctl_pki_server_signer(struct ctl *ctl, struct tls_identity *signer)
{
	const char *old_key = ctl_pki_path(ctl, "ca.key");
	const char *bundle = NULL;
	enum rc rc;

	if (!ctl_exists(old_key))
		return ctl_pki_root(ctl, signer);
	rc = read_pem(ctl, old_key, &signer->private_pem);
	if (rc == RC_OK)
		rc = ctl_pki_bundle(ctl, &bundle);
	if (rc == RC_OK)
		rc = tls_bundle_find(ctl->arena, bundle, signer->private_pem,
			&signer->certificate_pem, &ctl->fault);
	return rc;
}
