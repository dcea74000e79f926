/* ctl_keys: the grid's own keys: authority, server certificate, token keys. */

#include <stdio.h>
#include <unistd.h>

#include "fcgi/ctl.h"
#include "lib/file.h"
#include "lib/secret.h"
#include "lib/tls_issue.h"
#include "model/audit_checkpoint.h"
#include "model/signing_key.h"

#define AUTHORITY_DAYS 3650
#define SERVER_DAYS    397
#define PEM_BYTES      ((size_t)64 * 1024)

static const struct stmt *const stmts[] = {signing_key_stmts, NULL};

static const char *
pki_path(struct ctl *ctl, const char *name)
{
	return arena_printf(ctl->arena, "%s/%s", ctl->conf.pki, name);
}

static bool
exists(const char *path)
{
	return access(path, F_OK) == 0;
}

/* The private half first: whoever sees the certificate finds the key. */
static enum rc
write_identity(
	struct ctl *ctl, const char *name, const struct tls_identity *identity)
{
	enum rc rc = file_write(
		pki_path(ctl, arena_printf(ctl->arena, "%s.key", name)),
		identity->private_pem, 0600, &ctl->fault);

	if (rc != RC_OK)
		return rc;
	return file_write(
		pki_path(ctl, arena_printf(ctl->arena, "%s.pem", name)),
		identity->certificate_pem, 0644, &ctl->fault);
}

static enum rc
make_authority(struct ctl *ctl)
{
	struct tls_identity authority;
	uint8_t random[4];
	enum rc rc;

	secret_random(random, sizeof(random));
	rc = tls_issue_root(ctl->arena,
		arena_printf(ctl->arena, "fieldgrid private authority %s",
			encode_hex(ctl->arena, random, sizeof(random))),
		AUTHORITY_DAYS, &authority, &ctl->fault);
	if (rc == RC_OK)
		rc = write_identity(ctl, "ca", &authority);
	if (rc == RC_OK)
		printf("The authority is %s.\n", pki_path(ctl, "ca.pem"));
	return rc;
}

static enum rc
make_seal(struct ctl *ctl)
{
	const char *text =
		arena_printf(ctl->arena, "%s\n", secret_token(ctl->arena));
	enum rc rc = file_write(ctl->conf.seal_key, text, 0600, &ctl->fault);

	if (rc == RC_OK)
		printf("The seal is %s.\n", ctl->conf.seal_key);
	return rc;
}

/* The public half last: with it the key counts as made. */
static enum rc
make_audit_key(struct ctl *ctl, const char *public_path)
{
	const char *secret_line;
	const char *public_line;
	enum rc rc;

	audit_signer_new(ctl->arena, &secret_line, &public_line);
	rc = file_write(ctl->conf.audit_key, secret_line, 0400, &ctl->fault);
	if (rc == RC_OK)
		rc = file_write(public_path, public_line, 0644, &ctl->fault);
	if (rc == RC_OK)
		printf("The audit is signed with %s.\n", ctl->conf.audit_key);
	return rc;
}

static enum rc
keys_init(struct ctl *ctl)
{
	const char *audit_public =
		arena_printf(ctl->arena, "%s.pub", ctl->conf.audit_key);
	enum rc rc = RC_OK;

	if (!exists(pki_path(ctl, "ca.pem")))
		rc = make_authority(ctl);
	if (rc == RC_OK && !exists(ctl->conf.seal_key))
		rc = make_seal(ctl);
	if (rc == RC_OK && !exists(audit_public))
		rc = make_audit_key(ctl, audit_public);
	return rc;
}

static enum rc
read_authority(struct ctl *ctl, struct tls_identity *authority)
{
	char *certificate;
	char *key;
	enum rc rc = file_read(ctl->arena, pki_path(ctl, "ca.pem"), PEM_BYTES,
		&certificate, NULL, &ctl->fault);

	if (rc == RC_OK)
		rc = file_read(ctl->arena, pki_path(ctl, "ca.key"), PEM_BYTES,
			&key, NULL, &ctl->fault);
	if (rc == RC_OK)
		*authority = (struct tls_identity){key, certificate};
	return rc;
}

static enum rc
keys_server(struct ctl *ctl)
{
	struct tls_identity authority;
	struct tls_identity server;
	enum rc rc = read_authority(ctl, &authority);

	if (rc == RC_OK)
		rc = tls_issue_server(ctl->arena, &authority, ctl->arguments,
			SERVER_DAYS, &server, &ctl->fault);
	if (rc == RC_OK)
		rc = write_identity(ctl, "server", &server);
	if (rc == RC_OK)
		printf("The server's certificate is %s, good for %d days.\n",
			pki_path(ctl, "server.pem"), SERVER_DAYS);
	return rc;
}

static enum rc
keys_rotate(struct ctl *ctl)
{
	struct seal seal;
	enum rc rc =
		seal_load(ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);

	if (rc == RC_OK)
		rc = signing_key_rotate(
			ctl->db, ctl->arena, &seal, &ctl->fault);
	if (rc == RC_OK)
		puts("The token keys are as they should be.");
	return rc;
}

static enum rc
keys_replace(struct ctl *ctl)
{
	struct seal seal;
	enum rc rc =
		seal_load(ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);

	if (rc == RC_OK)
		rc = signing_key_replace(
			ctl->db, ctl->arena, &seal, &ctl->fault);
	if (rc == RC_OK)
		puts("A new token key signs; every older token is refused.");
	return rc;
}

const struct ctl_command ctl_keys_commands[] = {
	{"keys", "init", "", 0, 0,
		"make the private authority, the seal of the token keys and "
		"the key of the audit, where they are missing",
		NULL, NULL, keys_init},
	{"keys", "server", "NAME...", 1, CTL_ARGUMENTS_MAX,
		"issue the server's certificate for these host names and "
		"addresses",
		NULL, NULL, keys_server},
	{"keys", "rotate", "", 0, 0,
		"make the first token key, or change over when it is due", NULL,
		stmts, keys_rotate},
	{"keys", "replace", "", 0, 0,
		"emergency: a new token key, and no older token counts", NULL,
		stmts, keys_replace},
	CTL_COMMANDS_END,
};
