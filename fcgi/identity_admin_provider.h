/*
 * identity_admin_provider: upstream providers for administrators, by REST:
 * /api/v1/admin/providers…
 *
 * A client secret goes in and never comes out again. Every change is in the
 * audit, in the transaction of the change.
 */
#ifndef FG_FCGI_IDENTITY_ADMIN_PROVIDER_H
#define FG_FCGI_IDENTITY_ADMIN_PROVIDER_H

#include "lib/req.h"
#include "lib/resp.h"

/* With an authority as PEM. */
#define ADMIN_PROVIDER_BYTES_MAX ((size_t)128 * 1024)

MUST_CHECK enum rc admin_provider_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_provider_create(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_provider_get(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_provider_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_provider_remove(struct req *req, struct resp *resp);

/* POST …/{provider}/test: 200 {"works", "problem", …}; asks it now. */
MUST_CHECK enum rc admin_provider_test(struct req *req, struct resp *resp);

/* GET, PUT and DELETE …/{provider}/groups: what its groups are here. */
MUST_CHECK enum rc admin_provider_groups(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_provider_map(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_provider_unmap(struct req *req, struct resp *resp);

#endif
