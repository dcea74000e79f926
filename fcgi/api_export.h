/* api_export: samples as a table for spreadsheets. */
#ifndef FG_FCGI_API_EXPORT_H
#define FG_FCGI_API_EXPORT_H

#include "lib/route.h"

/*
 * GET /api/v1/datasources/{ds}/history.csv?variable=a&variable=b&from=…&to=…
 * &zone=Europe/Vienna: one row per time, a value and a status for each
 * variable. It is sent while it is read; a complete one ends with the line
 * "# end".
 */
handler_fn api_export_history;

#endif
