/* csr: any bytes as a certificate signing request. */

#include <stdlib.h>

#include "lib/tls_issue.h"
#include "lib/tls_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A request that is believed must be one that a certificate can be made of. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *house;
	static struct tls_identity authority;
	static const uint8_t uuid[UUID_BYTES];
	struct arena *arena = arena_new();
	struct tls_request request;
	struct fault fault;
	const char *pem = NULL;

	if (house == NULL) {
		house = arena_new();
		if (tls_issue_root(house, "Root", 30, &authority, &fault) !=
			RC_OK)
			abort();
	}
	if (tls_request_read(arena, encode_base64(arena, data, size),
		    size == 0 ? 0 : (size + 2) / 3 * 4, &request,
		    &fault) == RC_OK &&
		tls_issue_requested(arena, &authority, uuid, &request, 60, &pem,
			&fault) != RC_OK)
		abort();
	arena_free(arena);
	return 0;
}
