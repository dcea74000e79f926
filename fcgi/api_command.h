/* api_command: commands on record. They are given at the hub. */
#ifndef FG_FCGI_API_COMMAND_H
#define FG_FCGI_API_COMMAND_H

#include "lib/route.h"

handler_fn api_command_list;
handler_fn api_command_get;

#endif
