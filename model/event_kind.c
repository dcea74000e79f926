/* event_kind: the kinds of events that the server writes. */

#include "model/event_kind.h"

#include <stddef.h>
#include <strings.h>

static const char *const kinds[] = {
	"alarm.acknowledged",
	"alarm.came",
	"alarm.caused",
	"alarm.commented",
	"alarm.in_service",
	"alarm.out_of_service",
	"alarm.reactivated",
	"alarm.released",
	"alarm.shelved",
	"alarm.suppressed",
	"alarm.unshelved",
	"alarm.went",
	"command.confirmed",
	"command.expired",
	"command.failed",
	"command.refused",
	"command.requested",
	"command.sent",
	"hub.lost",
	"hub.started",
	"hub.stopped",
	"login.ended",
	"login.ok",
	"login.refused",
	"node.authorised",
	"node.blocked",
	"node.connected",
	"node.created",
	"node.disconnected",
	"node.doubled",
	"node.moved",
	"node.removed",
	"node.replaced",
	"node.retired",
	"node.revoked",
	"node.unblocked",
	NULL,
};

bool
event_kind_is_known(const char *kind)
{
	for (size_t i = 0; kinds[i] != NULL; i++)
		if (strcasecmp(kinds[i], kind) == 0)
			return true;
	return false;
}
