/* hub_clock: the hub's steady clock as nodes see it. */

#include "fcgi/hub_clock.h"

#include <pthread.h>

#include "fcgi/hub.h"
#include "fcgi/hub_nodes.h"
#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"

#define BOOT_FILE "/proc/sys/kernel/random/boot_id"

static uint8_t boot[UUID_BYTES];
static char boot_text[UUID_TEXT_BYTES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* Without the kernel's name for it every start of the hub is a new one. */
static void
read_boot(void)
{
	if (file_peek_line(BOOT_FILE, boot_text, sizeof(boot_text)) &&
		uuid_parse(boot_text, boot))
		return;
	log_warn(NULL, "%s cannot be read", BOOT_FILE);
	uuid_random(boot);
	uuid_format(boot_text, boot);
}

const uint8_t *
hub_clock_boot(void)
{
	pthread_once(&once, read_boot);
	return boot;
}

void
hub_clock_write(struct jsonw *json)
{
	hub_clock_boot();
	jsonw_str(json, "boot", boot_text);
	jsonw_int(json, "steady", clock_boot_us());
	jsonw_time(json, "time", clock_now_us());
}

enum rc
hub_clock_get(struct req *req, struct resp *resp)
{
	const struct hub *hub = req->app;
	struct jsonw *json = resp_json(resp, 200);

	hub_nodes_hear(hub->nodes, req->caller->id);
	jsonw_open_obj(json, NULL);
	hub_clock_write(json);
	jsonw_close_obj(json);
	return RC_OK;
}
