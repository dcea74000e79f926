/* outlet: where an egress agent brings what it mirrors. */

#include "agents/outlet.h"

#include <string.h>

extern const struct outlet outlet_file;
extern const struct outlet outlet_modbus;
extern const struct outlet outlet_mqtt;
extern const struct outlet outlet_stdout;

const struct outlet *const outlets[] = {
	&outlet_file, &outlet_modbus, &outlet_mqtt, &outlet_stdout, NULL};

const struct outlet *
outlet_find(const char *name)
{
	for (size_t i = 0; outlets[i] != NULL; i++)
		if (strcmp(outlets[i]->name, name) == 0)
			return outlets[i];
	return NULL;
}
