/*
 * tls_parts: what the files behind lib/tls*.h share, and nobody else. Objects
 * of OpenSSL join an arena, which frees them.
 */
#ifndef FG_LIB_TLS_PARTS_H
#define FG_LIB_TLS_PARTS_H

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/arena.h"
#include "lib/fault.h"

/* Set "rc" with the first reason that OpenSSL gave, and leave none behind. */
enum rc tls_fault(struct fault *fault, enum rc rc, const char *what);

/* NULL stays NULL. */
EVP_PKEY *tls_keep_key(struct arena *arena, EVP_PKEY *key);
X509 *tls_keep_certificate(struct arena *arena, X509 *certificate);

/* The text of a memory BIO, which is freed; NULL unless "good" is 1. */
const char *tls_take_text(struct arena *arena, BIO *bio, int good);

/* NULL when the PEM holds none. */
EVP_PKEY *tls_read_private(struct arena *arena, const char *pem);
X509 *tls_read_certificate(struct arena *arena, const char *pem);

EVP_PKEY *tls_make_key(struct arena *arena, bool elliptic);
const char *tls_private_pem(struct arena *arena, EVP_PKEY *key);
const char *tls_certificate_pem(struct arena *arena, X509 *certificate);

/* SHA-256 of the subjectPublicKeyInfo. */
bool tls_hash_key(EVP_PKEY *key, uint8_t hash[32]);

/* DER as base64 in lines of 64 letters. */
const char *tls_base64(struct arena *arena, const void *der, size_t bytes);
/* Back, white space is skipped; NULL when it is not base64. */
uint8_t *tls_unbase64(
	struct arena *arena, const char *base64, size_t length, size_t *bytes);

#endif
