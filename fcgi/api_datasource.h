/* api_datasource: which plants there are, and whether they are in reach. */
#ifndef FG_FCGI_API_DATASOURCE_H
#define FG_FCGI_API_DATASOURCE_H

#include "lib/route.h"

/* GET /api/v1/datasources: state is Online or Offline. */
handler_fn api_datasource_list;
/* GET /api/v2/datasources: by origin; stored data outlive a plant's absence. */
handler_fn api_datasource_origins;

#endif
