/* outlet_modbus: the keys of the outlet that is a Modbus TCP server. */
#ifndef FG_AGENTS_OUTLET_MODBUS_H
#define FG_AGENTS_OUTLET_MODBUS_H

#include "lib/conf.h"

struct outlet_modbus_conf {
	const char *listen;
	int64_t port;
	const char *registers;
	int64_t clients;
};

#define OUTLET_MODBUS_KEY(base, member)                                        \
	((base) + offsetof(struct outlet_modbus_conf, member))
#define OUTLET_MODBUS_CONF(section, base)                                      \
	{section, "listen", CONF_TEXT, OUTLET_MODBUS_KEY(base, listen),        \
		"127.0.0.1", 0, 0, "address of this machine to listen on"},    \
		{section, "port", CONF_INT, OUTLET_MODBUS_KEY(base, port),     \
			"1502", 1, 65535, "TCP port to listen on"},            \
		{section, "registers", CONF_PATH,                              \
			OUTLET_MODBUS_KEY(base, registers), "", 0, 0,          \
			"CSV file: which variable is in which register"},      \
	{                                                                      \
		section, "clients", CONF_INT,                                  \
			OUTLET_MODBUS_KEY(base, clients), "16", 1, 256,        \
			"connections at the same time"                         \
	}

#endif
