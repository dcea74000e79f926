/*
 * controller_est: what machines ask of the controller: certificates, over EST
 * (RFC 7030), and their access data.
 */
#ifndef FG_FCGI_CONTROLLER_EST_H
#define FG_FCGI_CONTROLLER_EST_H

#include "fcgi/controller.h"

/* GET /.well-known/est/cacerts: 200, public (RFC 7030, 4.1). */
MUST_CHECK enum rc controller_est_bundle(struct req *req, struct resp *resp);

/* POST /.well-known/est/simpleenroll with Basic node-id:token: 200 the
 * certificate, 202 an administrator has to approve it (RFC 7030, 4.2.1). */
MUST_CHECK enum rc controller_est_enrol(struct req *req, struct resp *resp);

/* POST /.well-known/est/simplereenroll over mutual TLS, from two thirds of the
 * certificate's life (RFC 7030, 4.2.2); 409 before. */
MUST_CHECK enum rc controller_est_renew(struct req *req, struct resp *resp);

/* POST /hub/v1/access over mutual TLS: 200 client and secret, 409 when they
 * were fetched before. */
MUST_CHECK enum rc controller_access(struct req *req, struct resp *resp);

#endif
