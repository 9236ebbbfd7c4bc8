# METADATA
# title: Rooms
# description: >-
#   All that is said about a tool whatever its arguments. Calls and listings are both judged here, so they agree.
package gateway.rooms

import data.gateway.catalog
import data.gateway.classes
import data.gateway.consent
import data.gateway.environment
import data.gateway.identity
import data.gateway.limits
import data.gateway.migration
import data.gateway.redaction
import data.gateway.transactions

# METADATA
# title: What the rooms say about a tool
# description: A set of codes. Each room has at most one objection, the first of its checks that fails.
about(tool, approval) := union({
	{code | some code in consent.codes(class)},
	{code | code := identity.objection(input.caller, class)},
	{code | code := environment.objection(tool, class)},
	{code | code := catalog.objection(tool, approval)},
	{code | code := migration.rollout(class)},
	{code | code := limits.objection},
	{code | code := redaction.objection_to(tool.name)},
	{code | code := transactions.objection},
}) if {
	class := classes.of(tool.name)
} else := {classes.objection}
