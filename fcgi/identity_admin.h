/*
 * identity_admin: users, sessions, clients and keys for administrators, by
 * REST.
 *
 * Every change stands in the audit, in the transaction of the change. Answers
 * are not kept by anybody on the way: some hold a password that is shown once.
 */
#ifndef FG_FCGI_IDENTITY_ADMIN_H
#define FG_FCGI_IDENTITY_ADMIN_H

#include "lib/req.h"
#include "lib/resp.h"

/* Bodies of the administration. */
#define IDENTITY_ADMIN_BYTES_MAX ((size_t)64 * 1024)

/* identity_admin_user.c: /api/v1/admin/users… */
MUST_CHECK enum rc admin_user_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_create(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_get(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_remove(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_unlock(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_password(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_factor(struct req *req, struct resp *resp);

/* identity_admin_access.c: what a user has: /api/v1/admin/users/{user}/… */
MUST_CHECK enum rc admin_user_groups(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_set_groups(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_applications(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_revoke_application(
	struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_user_end_sessions(struct req *req, struct resp *resp);

/* identity_admin_client.c: /api/v1/admin/clients… A secret is shown once. */
MUST_CHECK enum rc admin_client_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_client_create(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_client_get(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_client_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_client_remove(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_client_secret(struct req *req, struct resp *resp);

/* identity_admin_key.c: /api/v1/admin/keys… */
MUST_CHECK enum rc admin_key_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_key_rotate(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_key_emergency(struct req *req, struct resp *resp);

/* identity_admin_session.c: /api/v1/admin/sessions… */
MUST_CHECK enum rc admin_session_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_session_end(struct req *req, struct resp *resp);

/* identity_admin_directory.c: /api/v1/admin/directories… */
MUST_CHECK enum rc admin_directory_list(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_create(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_get(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_change(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_remove(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_groups(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_map(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_unmap(struct req *req, struct resp *resp);
MUST_CHECK enum rc admin_directory_test(struct req *req, struct resp *resp);

#endif
