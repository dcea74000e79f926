/*
 * ctl_pki: the files of the private authority, for the commands about keys,
 * authority and nodes.
 *
 * root.pem and root.key: the root; its key signs authorities and the server's
 * certificate and is kept elsewhere between times. ca.pem: whom everybody
 * trusts, several certificates. ca.key: the key of the only authority of grids
 * from before there was a root; it signs the server's certificate as long as
 * it is there, because older agents know no other.
 */
#ifndef FG_FCGI_CTL_PKI_H
#define FG_FCGI_CTL_PKI_H

#include <sys/types.h>

#include "fcgi/ctl.h"
#include "lib/tls_issue.h"

#define CTL_PKI_ROOT_OPTION                                                    \
	{                                                                      \
		"root", "FOLDER",                                              \
			"where root.pem and root.key are; default the folder " \
			"of the private authority"                             \
	}

const char *ctl_pki_path(struct ctl *ctl, const char *name);
bool ctl_exists(const char *path);

/* Make a root and a seal for the authority's key, where they are missing. */
MUST_CHECK enum rc ctl_pki_init(struct ctl *ctl);

/* Fails: RC_IO with words what to do when the key is not there. */
MUST_CHECK enum rc ctl_pki_root(struct ctl *ctl, struct tls_identity *root);

/* Who signs the server's certificate. Fails: as ctl_pki_root. */
MUST_CHECK enum rc ctl_pki_server_signer(
	struct ctl *ctl, struct tls_identity *signer);

/* NAME.key and NAME.pem. */
MUST_CHECK enum rc ctl_pki_write(struct ctl *ctl, const char *name,
	const struct tls_identity *identity, mode_t key_mode);

/* The text of ca.pem. */
MUST_CHECK enum rc ctl_pki_bundle(struct ctl *ctl, const char **pem);
/* Put certificates in front of those that are in ca.pem already. */
MUST_CHECK enum rc ctl_pki_trust(struct ctl *ctl, const char *pem);

#endif
