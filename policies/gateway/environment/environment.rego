# METADATA
# title: Environment
# description: >-
#   What the place and its state forbid. A production account is not the place to watch what would have been denied.
package gateway.environment

import data.gateway.classes
import data.gateway.migration

# METADATA
# title: Objection to the place
# description: Without its state store or its audit the gateway cannot keep its promises about the classes 1 to 3.
objection(tool, class) := "environment.closed" if not _open(tool, class)

else := "environment.degraded" if not _fit(class)

else := migration.objection if {
	not _phase_high_enough(tool, class)
	name := tool.name
	not migration.phase_at(name)
}

else := "environment.phase_too_low" if not _phase_high_enough(tool, class)

_open(tool, class) if {
	closed := data.gateway.environment.closed
	tools := closed.tools
	is_array(tools)
	name := tool.name
	not name in tools
	shut := closed.classes
	classes.readable(shut)
	not class in shut
}

_fit(class) if class >= 4

_fit(_) if input.env.state == "ok"

_phase_high_enough(tool, class) if {
	phase := migration.phase_at(tool.name)
	key := format_int(class, 10)
	minimum := object.get(data.gateway.environment.minimum_phase, [input.env.paypal, key], null)
	ranks := migration.rank
	ranks[phase] >= ranks[minimum]
}
