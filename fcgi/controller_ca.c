/* controller_ca: the authority as others see it. */

#include "fcgi/controller_ca.h"

#include "lib/tls_bundle.h"
#include "lib/tls_crl.h"
#include "model/authority.h"

static enum rc
find_crl(struct req *req, struct authority_crl *crl)
{
	enum rc rc = authority_crl(req->db, req->arena,
		controller_of(req)->seal, crl, &req->fault);

	return rc == RC_NOT_FOUND ? fault_tell(&req->fault, rc, "NotFound",
					    NULL, "There is no authority yet.")
				  : rc;
}

enum rc
controller_crl(struct req *req, struct resp *resp)
{
	struct authority_crl crl;
	enum rc rc = find_crl(req, &crl);

	if (rc != RC_OK)
		return rc;
	buf_add(resp_body(resp, 200, "application/pkix-crl"), crl.der.data,
		crl.der.length);
	resp_header(resp, "Cache-Control", "no-cache");
	return RC_OK;
}

enum rc
controller_crl_pem(struct req *req, struct resp *resp)
{
	struct authority_crl crl;
	enum rc rc = find_crl(req, &crl);

	if (rc != RC_OK)
		return rc;
	buf_text(resp_body(resp, 200, "application/x-pem-file"),
		tls_crl_pem(req->arena, crl.der.data, crl.der.length));
	resp_header(resp, "Cache-Control", "no-cache");
	return RC_OK;
}

static void
write_authorities(struct jsonw *json, const struct authority_list *list)
{
	jsonw_open_arr(json, "authorities");
	for (size_t i = 0; i < list->count; i++) {
		const struct authority *authority = &list->items[i];

		jsonw_open_obj(json, NULL);
		jsonw_str(json, "keyId", authority->key_id);
		jsonw_bool(json, "signs", i == 0);
		jsonw_time(json, "from", authority->not_before_us);
		jsonw_time(json, "until", authority->not_after_us);
		jsonw_int(json, "certificates", authority->valid_count);
		jsonw_close_obj(json);
	}
	jsonw_close_arr(json);
}

static void
write_crl(struct jsonw *json, const struct authority_crl *crl)
{
	jsonw_open_obj(json, "crl");
	jsonw_int(json, "number", crl->number);
	jsonw_time(json, "made", crl->made_us);
	jsonw_time(json, "next", crl->next_us);
	jsonw_close_obj(json);
}

enum rc
controller_ca_show(struct req *req, struct resp *resp)
{
	struct authority_list list;
	struct authority_crl crl;
	uint8_t pin[TLS_PIN_BYTES];
	const char *bundle = NULL;
	struct jsonw *json;
	enum rc rc = controller_bundle_read(req, &bundle);

	if (rc == RC_OK)
		rc = tls_bundle_pin(req->arena, bundle, pin, &req->fault);
	if (rc == RC_OK)
		rc = authority_list(req->db, req->arena, &list, &req->fault);
	if (rc == RC_OK)
		rc = find_crl(req, &crl);
	if (rc != RC_OK)
		return rc;
	json = resp_json(resp, 200);
	jsonw_open_obj(json, NULL);
	jsonw_str(json, "pin", encode_hex(req->arena, pin, sizeof(pin)));
	write_authorities(json, &list);
	write_crl(json, &crl);
	jsonw_close_obj(json);
	return RC_OK;
}
