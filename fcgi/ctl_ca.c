/* ctl_ca: the authority that signs the certificates of nodes. */

#include <inttypes.h>
#include <stdio.h>

#include "fcgi/ctl_pki.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/secret.h"
#include "lib/tls.h"
#include "lib/tls_bundle.h"
#include "lib/tls_crl.h"
#include "model/audit.h"
#include "model/authority.h"

#define AUTHORITY_DAYS 1826
#define DUE_US         (180 * CLOCK_DAY_US)

static const struct stmt *const stmts[] = {audit_stmts, authority_stmts, NULL};

static void
print_time(const char *what, int64_t at_us)
{
	char text[CLOCK_TEXT_BYTES];

	clock_format(text, at_us);
	printf("%s %s", what, text);
}

static enum rc
ca_show(struct ctl *ctl)
{
	struct authority_list list = {0, NULL};
	uint8_t pin[TLS_PIN_BYTES];
	const char *bundle = NULL;
	enum rc rc = ctl_pki_bundle(ctl, &bundle);

	if (rc == RC_OK)
		rc = tls_bundle_pin(ctl->arena, bundle, pin, &ctl->fault);
	if (rc == RC_OK)
		rc = authority_list(ctl->db, ctl->arena, &list, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	printf("trust\t%s\nsha256\t%s\n", ctl_pki_path(ctl, "ca.pem"),
		encode_hex(ctl->arena, pin, sizeof(pin)));
	printf("root\t%s\n", ctl_exists(ctl_pki_path(ctl, "root.key"))
				     ? "its key is on this machine"
				     : "its key is elsewhere");
	for (size_t i = 0; i < list.count; i++) {
		printf("%s\t%s", i == 0 ? "signs" : "signed",
			list.items[i].key_id);
		print_time("\tfrom", list.items[i].not_before_us);
		print_time("\tuntil", list.items[i].not_after_us);
		printf("\t%" PRId64 " certificates\n",
			list.items[i].valid_count);
	}
	return RC_OK;
}

static enum rc
make(struct ctl *ctl)
{
	struct tls_identity root;
	struct tls_identity made = {NULL, NULL};
	struct seal seal;
	uint8_t random[4];
	enum rc rc = ctl_pki_root(ctl, &root);

	secret_random(random, sizeof(random));
	if (rc == RC_OK)
		rc = seal_load(
			ctl->arena, ctl->conf.ca_seal, &seal, &ctl->fault);
	if (rc == RC_OK)
		rc = tls_issue_authority(ctl->arena, &root,
			arena_printf(ctl->arena, "fieldgrid nodes %s",
				encode_hex(ctl->arena, random, sizeof(random))),
			AUTHORITY_DAYS, &made, &ctl->fault);
	if (rc == RC_OK)
		rc = authority_add(
			ctl->db, ctl->arena, &seal, &made, &ctl->fault);
	if (rc == RC_OK)
		rc = ctl_audit(
			ctl, "authority.renew", "authority:nodes", NULL, NULL);
	/* Trusted before it signs: that begins with the commit. */
	return rc == RC_OK ? ctl_pki_trust(ctl, made.certificate_pem) : rc;
}

/* Is there one that will do for some time? In ca.pem it must be anyhow. */
static enum rc
look(struct ctl *ctl, bool *due)
{
	struct authority_list list = {0, NULL};
	enum rc rc = authority_list(ctl->db, ctl->arena, &list, &ctl->fault);

	*due = list.count == 0 ||
	       list.items[0].not_after_us < clock_now_us() + DUE_US;
	for (size_t i = list.count; rc == RC_OK && i-- > 0;)
		rc = ctl_pki_trust(ctl, list.items[i].certificate_pem);
	return rc;
}

static enum rc
ca_renew(struct ctl *ctl)
{
	bool due = true;
	enum rc rc = look(ctl, &due);

	if (rc == RC_OK && !due && ctl_option(ctl, "due") != NULL) {
		puts("The authority is as it should be.");
		return RC_OK;
	}
	if (rc == RC_OK)
		rc = ctl_begin(ctl);
	if (rc != RC_OK)
		return rc;
	rc = ctl_end(ctl, make(ctl));
	if (rc == RC_OK)
		printf("A new authority signs certificates of nodes; %s has "
		       "it.\nTokens that were not used yet have the pin of "
		       "before: make them anew.\n",
			ctl_pki_path(ctl, "ca.pem"));
	return rc;
}

static enum rc
ca_crl(struct ctl *ctl)
{
	const char *path = ctl_option(ctl, "out");
	struct authority_crl crl;
	struct seal seal;
	const char *pem;
	enum rc rc =
		seal_load(ctl->arena, ctl->conf.ca_seal, &seal, &ctl->fault);

	if (rc == RC_OK)
		rc = authority_crl(
			ctl->db, ctl->arena, &seal, &crl, &ctl->fault);
	if (rc != RC_OK)
		return rc;
	pem = tls_crl_pem(ctl->arena, crl.der.data, crl.der.length);
	if (path != NULL)
		return file_write(path, pem, 0644, &ctl->fault);
	fputs(pem, stdout);
	return RC_OK;
}

static const struct ctl_option renew_options[] = {
	CTL_PKI_ROOT_OPTION,
	{"due", NULL, "only when there is none, or it ends within 180 days"},
	CTL_OPTIONS_END,
};

static const struct ctl_option crl_options[] = {
	{"out", "FILE", "where to write it; default standard output"},
	CTL_OPTIONS_END,
};

const struct ctl_command ctl_ca_commands[] = {
	{"ca", "show", "", 0, 0,
		"who signs certificates of nodes, and the pin of ca.pem", NULL,
		stmts, ca_show},
	{"ca", "renew", "", 0, 0,
		"let the root sign a new authority, which signs from now on",
		renew_options, stmts, ca_renew},
	{"ca", "crl", "", 0, 0, "the list of revoked certificates, as PEM",
		crl_options, stmts, ca_crl},
	CTL_COMMANDS_END,
};
