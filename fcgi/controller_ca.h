/* controller_ca: the authority as others see it. */
#ifndef FG_FCGI_CONTROLLER_CA_H
#define FG_FCGI_CONTROLLER_CA_H

#include "fcgi/controller.h"

/* GET /crl (DER) and /crl.pem: 200, public; never older than an hour. */
MUST_CHECK enum rc controller_crl(struct req *req, struct resp *resp);
MUST_CHECK enum rc controller_crl_pem(struct req *req, struct resp *resp);

/* GET /api/v1/admin/ca: who signs, and until when. */
MUST_CHECK enum rc controller_ca_show(struct req *req, struct resp *resp);

#endif
