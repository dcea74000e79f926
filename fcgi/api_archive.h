/*
 * api_archive: archives and their values, in the forms of version 1 and 2.
 *
 * Version 2 adds where data come from. An archive of which the caller may not
 * read a single variable does not exist for him.
 */
#ifndef FG_FCGI_API_ARCHIVE_H
#define FG_FCGI_API_ARCHIVE_H

#include "lib/route.h"

/* GET /api/v1/datasources/{ds}/archives */
handler_fn api_archive_tree;
/* GET /api/v2/datasources/{ds}/archives */
handler_fn api_archive_tree_origins;
/* GET /api/v{1,2}/datasources/{ds}/archives/{arc} */
handler_fn api_archive_one;
/* POST /api/v1/datasources/{ds}/archives/{arc}/query */
handler_fn api_archive_query;
/* POST /api/v2/datasources/{ds}/archives/{arc}/query: "origin" ServiceEngine
 * wants the plant to be online, else 503. */
handler_fn api_archive_query_origin;

#endif
