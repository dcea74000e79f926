/* controller_est: enrolment over secure transport (EST, RFC 7030). */

#include "fcgi/controller.h"
#include "lib/file.h"
#include "lib/tls_message.h"

#define BUNDLE_BYTES_MAX ((size_t)64 * 1024)

/* Read anew each time: a new authority counts without a restart. */
enum rc
controller_est_bundle(struct req *req, struct resp *resp)
{
	const char *message = "";
	char *pem;
	enum rc rc = file_read(req->arena, controller_of(req)->conf->bundle,
		BUNDLE_BYTES_MAX, &pem, NULL, &req->fault);

	if (rc == RC_OK)
		rc = tls_message_write(req->arena, pem, &message, &req->fault);
	if (rc != RC_OK)
		return fault_set(
			&req->fault, RC_IO, "the bundle: %s", req->fault.text);
	buf_text(resp_body(resp, 200, "application/pkcs7-mime"), message);
	resp_header(resp, "Content-Transfer-Encoding", "base64");
	return RC_OK;
}
