/* ctl_keys: the grid's own keys: authority, server certificate, token keys. */

#include <stdio.h>

#include "fcgi/ctl_pki.h"
#include "lib/file.h"
#include "lib/secret.h"
#include "lib/tls_issue.h"
#include "model/audit_checkpoint.h"
#include "model/signing_key.h"

#define SERVER_DAYS 397

static const struct stmt *const stmts[] = {signing_key_stmts, NULL};

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
	enum rc rc = ctl_pki_init(ctl);

	if (rc == RC_OK && !ctl_exists(ctl->conf.seal_key))
		rc = make_seal(ctl);
	if (rc == RC_OK && !ctl_exists(audit_public))
		rc = make_audit_key(ctl, audit_public);
	return rc;
}

static enum rc
keys_server(struct ctl *ctl)
{
	struct tls_identity authority;
	struct tls_identity server;
	enum rc rc = ctl_pki_server_signer(ctl, &authority);

	if (rc == RC_OK)
		rc = tls_issue_server(ctl->arena, &authority, ctl->arguments,
			SERVER_DAYS, &server, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_pki_write(ctl, "server", &server, 0600);
	if (rc == RC_OK)
		printf("The server's certificate is %s, good for %d days.\n",
			ctl_pki_path(ctl, "server.pem"), SERVER_DAYS);
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

static const struct ctl_option server_options[] = {
	CTL_PKI_ROOT_OPTION,
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_keys_commands[] = {
	{"keys", "init", "", 0, 0,
		"make the private authority, the seal of the token keys and "
		"the key of the audit, where they are missing",
		NULL, NULL, keys_init},
	{"keys", "server", "NAME...", 1, CTL_ARGUMENTS_MAX,
		"issue the server's certificate for these host names and "
		"addresses",
		server_options, NULL, keys_server},
	{"keys", "rotate", "", 0, 0,
		"make the first token key, or change over when it is due", NULL,
		stmts, keys_rotate},
	{"keys", "replace", "", 0, 0,
		"emergency: a new token key, and no older token counts", NULL,
		stmts, keys_replace},
	CTL_COMMANDS_END,
};
