/* ctl_keys: the grid's own keys: authority, server certificate, token keys. */

#include <stdio.h>

#include "fcgi/ctl_pki.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/secret.h"
#include "lib/tls_issue.h"
#include "model/audit.h"
#include "model/audit_checkpoint.h"
#include "model/signing_key.h"

#define SERVER_DAYS 397

static const struct stmt *const stmts[] = {
	audit_stmts, signing_key_stmts, NULL};

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
keys_list(struct ctl *ctl)
{
	struct signing_key_list list;
	enum rc rc = signing_key_list(ctl->db, ctl->arena, &list, &ctl->fault);

	for (size_t i = 0; rc == RC_OK && i < list.count; i++) {
		char changed[CLOCK_TEXT_BYTES];

		clock_format(changed, list.items[i].changed_us);
		printf("%s\t%s\t%s\t%s\n", list.items[i].kid,
			list.items[i].algorithm, list.items[i].state, changed);
	}
	return rc;
}

/* What "keys rotate" does, by its options. */
static const struct rotation {
	const char *option; /* NULL = without one */
	enum rc (*run)(struct db *db, struct arena *arena,
		const struct seal *seal, struct fault *fault);
	const char *action; /* NULL = not worth a record */
	const char *done;
} rotations[] = {
	{"emergency", signing_key_replace, "key.replace",
		"New token keys sign; every older token is refused."},
	{"due", signing_key_rotate, NULL,
		"The token keys are as they should be."},
	{NULL, signing_key_begin, "key.rotate",
		"The next token keys are published; they sign in a day."},
};

static const struct rotation *
chosen_rotation(struct ctl *ctl)
{
	const struct rotation *rotation = rotations;

	while (rotation->option != NULL &&
		ctl_option(ctl, rotation->option) == NULL)
		rotation++;
	return rotation;
}

static enum rc
keys_rotate(struct ctl *ctl)
{
	const struct rotation *rotation = chosen_rotation(ctl);
	struct seal seal;
	enum rc rc =
		seal_load(ctl->arena, ctl->conf.seal_key, &seal, &ctl->fault);

	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = rotation->run(ctl->db, ctl->arena, &seal, &ctl->fault);
	if (rc == RC_OK && rotation->action != NULL)
		rc = ctl_audit(ctl, rotation->action, "key:", NULL, NULL);
	rc = ctl_end(ctl, rc);
	if (rc == RC_OK)
		puts(rotation->done);
	return rc;
}

static const struct ctl_option server_options[] = {
	CTL_PKI_ROOT_OPTION,
	CTL_OPTIONS_END,
};

static const struct ctl_option rotate_options[] = {
	{"due", NULL, "only what the clock demands, as the keeper does"},
	{"emergency", NULL,
		"a key was stolen: new keys at once, and no older token "
		"counts"},
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
	{"keys", "list", "", 0, 0, "the token keys and their states", NULL,
		stmts, keys_list},
	{"keys", "rotate", "", 0, 0,
		"publish the next token keys now, to sign in a day",
		rotate_options, stmts, keys_rotate},
	CTL_COMMANDS_END,
};
