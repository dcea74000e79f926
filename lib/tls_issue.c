/* tls_issue: new X.509 certificates. */

#include "lib/tls_issue.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "lib/secret.h"
#include "lib/tls.h"
#include "lib/tls_parts.h"
#include "lib/tls_request.h"

#define SERIAL_BYTES 16
#define DAY_S        ((int64_t)86400)

/* A certificate in the making. */
struct draft {
	X509 *certificate;
	EVP_PKEY *key; /* public half at least */
	X509 *issuer;  /* itself when self-signed */
	EVP_PKEY *issuer_key;
};

static bool
set_serial(X509 *certificate)
{
	uint8_t bytes[SERIAL_BYTES];
	BIGNUM *number;
	bool good;

	secret_random(bytes, sizeof(bytes));
	bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* positive, full */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	good = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) !=
	       NULL;
	BN_free(number);
	return good;
}

static bool
set_extension(const struct draft *draft, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	bool good;

	X509V3_set_ctx(
		&context, draft->issuer, draft->certificate, NULL, NULL, 0);
	X509V3_set_ctx_nodb(&context);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	good = extension != NULL &&
	       X509_add_ext(draft->certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return good;
}

/* Nothing outlives who vouches for it. */
static bool
set_times(const struct draft *draft, int64_t life_s)
{
	X509 *made = draft->certificate;
	const ASN1_TIME *end = X509_get0_notAfter(draft->issuer);
	long backdate_s = life_s >= TLS_BACKDATE_S ? TLS_BACKDATE_S
						   : TLS_BACKDATE_SHORT_S;

	if (X509_gmtime_adj(X509_getm_notBefore(made), -backdate_s) == NULL ||
		X509_gmtime_adj(X509_getm_notAfter(made), (long)life_s) == NULL)
		return false;
	if (draft->issuer == made ||
		ASN1_TIME_compare(X509_get0_notAfter(made), end) <= 0)
		return true;
	return X509_set1_notAfter(made, end) == 1;
}

static bool
start_draft(struct arena *arena, struct draft *draft, const char *common_name,
	int64_t life_s)
{
	X509 *made = tls_keep_certificate(arena, X509_new());
	X509_NAME *name = X509_get_subject_name(made);

	draft->certificate = made;
	if (draft->key == NULL)
		draft->key = tls_make_key(arena, true);
	if (draft->issuer == NULL) {
		draft->issuer = made;
		draft->issuer_key = draft->key;
	}
	return draft->key != NULL && X509_set_version(made, 2) == 1 &&
	       set_serial(made) && set_times(draft, life_s) &&
	       X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
		       (const unsigned char *)common_name, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(
		       made, X509_get_subject_name(draft->issuer)) == 1 &&
	       X509_set_pubkey(made, draft->key) == 1 &&
	       set_extension(draft, NID_subject_key_identifier, "hash") &&
	       set_extension(draft, NID_authority_key_identifier, "keyid");
}

static enum rc
sign(struct arena *arena, const struct draft *draft,
	const char **certificate_pem, struct fault *fault)
{
	if (X509_sign(draft->certificate, draft->issuer_key, EVP_sha256()) == 0)
		return tls_fault(fault, RC_BUG, "sign a certificate");
	*certificate_pem = tls_certificate_pem(arena, draft->certificate);
	if (*certificate_pem == NULL)
		return tls_fault(fault, RC_BUG, "write a certificate");
	return RC_OK;
}

static enum rc
finish(struct arena *arena, const struct draft *draft,
	struct tls_identity *identity, struct fault *fault)
{
	identity->private_pem = tls_private_pem(arena, draft->key);
	if (identity->private_pem == NULL)
		return tls_fault(fault, RC_BUG, "write a key");
	return sign(arena, draft, &identity->certificate_pem, fault);
}

static enum rc
load_issuer(struct arena *arena, const struct tls_identity *authority,
	struct draft *draft, struct fault *fault)
{
	draft->issuer = tls_read_certificate(arena, authority->certificate_pem);
	draft->issuer_key = tls_read_private(arena, authority->private_pem);
	if (draft->issuer == NULL || draft->issuer_key == NULL)
		return tls_fault(fault, RC_BAD_INPUT, "read the authority");
	if (X509_check_private_key(draft->issuer, draft->issuer_key) != 1)
		return tls_fault(fault, RC_BAD_INPUT,
			"the authority's key is not that of its certificate");
	return RC_OK;
}

/* --- authorities ------------------------------------------------------ */

static bool
may_sign(const struct draft *draft, const char *constraints)
{
	return set_extension(draft, NID_basic_constraints, constraints) &&
	       set_extension(
		       draft, NID_key_usage, "critical,keyCertSign,cRLSign");
}

enum rc
tls_issue_root(struct arena *arena, const char *common_name, int days,
	struct tls_identity *root, struct fault *fault)
{
	struct draft draft = {.certificate = NULL};

	if (!start_draft(arena, &draft, common_name, days * DAY_S) ||
		!may_sign(&draft, "critical,CA:TRUE,pathlen:1"))
		return tls_fault(fault, RC_BUG, "make a root");
	return finish(arena, &draft, root, fault);
}

enum rc
tls_issue_authority(struct arena *arena, const struct tls_identity *root,
	const char *common_name, int days, struct tls_identity *authority,
	struct fault *fault)
{
	struct draft draft = {.certificate = NULL};
	enum rc rc = load_issuer(arena, root, &draft, fault);

	if (rc != RC_OK)
		return rc;
	if (!start_draft(arena, &draft, common_name, days * DAY_S) ||
		!may_sign(&draft, "critical,CA:TRUE,pathlen:0"))
		return tls_fault(fault, RC_BUG, "make an authority");
	return finish(arena, &draft, authority, fault);
}

/* --- end entities ------------------------------------------------------ */

/* Who it is and what for. */
struct entity {
	const char *common_name;
	const char *usage;
	const char *names;
	int64_t life_s;
};

/* All but the signature; "draft" may have a key already. */
static enum rc
draft_entity(struct arena *arena, const struct tls_identity *authority,
	const struct entity *entity, struct draft *draft, struct fault *fault)
{
	enum rc rc = load_issuer(arena, authority, draft, fault);

	if (rc != RC_OK)
		return rc;
	if (!start_draft(arena, draft, entity->common_name, entity->life_s) ||
		!set_extension(
			draft, NID_basic_constraints, "critical,CA:FALSE") ||
		!set_extension(
			draft, NID_key_usage, "critical,digitalSignature") ||
		!set_extension(draft, NID_ext_key_usage, entity->usage) ||
		!set_extension(draft, NID_subject_alt_name, entity->names))
		return tls_fault(fault, RC_BAD_INPUT, entity->common_name);
	return RC_OK;
}

static bool
is_address(const char *name)
{
	uint8_t bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 ||
	       inet_pton(AF_INET6, name, bytes) == 1;
}

/* A comma would start another entry of the list that OpenSSL parses. */
static bool
name_is_plain(const char *name)
{
	return name[0] != '\0' && strlen(name) < 254 &&
	       strspn(name,
		       "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		       "0123456789.-:*_") == strlen(name);
}

enum rc
tls_issue_server(struct arena *arena, const struct tls_identity *authority,
	const char *const *names, int days, struct tls_identity *server,
	struct fault *fault)
{
	struct entity entity = {"fieldgrid", "serverAuth", "", days * DAY_S};
	struct draft draft = {.certificate = NULL};
	enum rc rc;

	if (names[0] == NULL)
		return fault_set(fault, RC_BAD_INPUT, "a server without names");
	for (size_t i = 0; names[i] != NULL; i++) {
		if (!name_is_plain(names[i]))
			return fault_set(fault, RC_BAD_INPUT,
				"\"%s\" is no host name", names[i]);
		entity.names = arena_printf(arena, "%s%s%s:%s", entity.names,
			i > 0 ? "," : "", is_address(names[i]) ? "IP" : "DNS",
			names[i]);
	}
	rc = draft_entity(arena, authority, &entity, &draft, fault);
	return rc == RC_OK ? finish(arena, &draft, server, fault) : rc;
}

static struct entity
node_entity(struct arena *arena, const uint8_t uuid[UUID_BYTES], int64_t life_s)
{
	char text[UUID_TEXT_BYTES];

	uuid_format(text, uuid);
	return (struct entity){arena_strdup(arena, text), "clientAuth",
		arena_printf(arena, "URI:" TLS_NODE_URI "%s", text), life_s};
}

enum rc
tls_issue_node(struct arena *arena, const struct tls_identity *authority,
	const uint8_t uuid[UUID_BYTES], int64_t life_s,
	struct tls_identity *node, struct fault *fault)
{
	struct entity entity = node_entity(arena, uuid, life_s);
	struct draft draft = {.certificate = NULL};
	enum rc rc = draft_entity(arena, authority, &entity, &draft, fault);

	return rc == RC_OK ? finish(arena, &draft, node, fault) : rc;
}

enum rc
tls_issue_requested(struct arena *arena, const struct tls_identity *authority,
	const uint8_t uuid[UUID_BYTES], const struct tls_request *request,
	int64_t life_s, const char **certificate_pem, struct fault *fault)
{
	struct entity entity = node_entity(arena, uuid, life_s);
	struct draft draft = {.key = request->key};
	enum rc rc = draft_entity(arena, authority, &entity, &draft, fault);

	return rc == RC_OK ? sign(arena, &draft, certificate_pem, fault) : rc;
}
