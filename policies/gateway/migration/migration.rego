# METADATA
# title: Migration
# description: >-
#   Which of the catalog's objections a phase turns into a warning. What may be softened is fixed here, not in the
#   data.
package gateway.migration

import data.gateway.classes

# METADATA
# title: The phases
# description: In their order; a later one is never softer.
rank := {"preparation": 1, "coexistence": 2, "enforcement": 3, "completion": 4}

# METADATA
# title: The phase of a class
# description: Undefined for a phase that does not exist.
phase_of(class) := name if {
	is_number(class)
	name := object.get(data.gateway.migration.classes, format_int(class, 10), data.gateway.migration.phase)
	rank[name]
}

# METADATA
# title: Objection to the phase
# description: A typing error in the phase must not weaken anything.
objection := "migration.phase_unknown"

# METADATA
# title: Softens
# description: Whether the phase turns this objection to this tool into a warning.
softens(tool, code) if {
	phase := phase_of(classes.of(tool.name))
	_softens(phase, tool, code)
}

_softens("preparation", _, code) if code in {"catalog.unverified", "catalog.not_approved"}

_softens("preparation", tool, code) if {
	code in {"catalog.token_invalid", "catalog.signature_invalid"}
	uncritical(tool)
}

_softens("coexistence", tool, code) if {
	code in {"catalog.unverified", "catalog.not_approved"}
	uncritical(tool)
}

_softens(phase, tool, "catalog.unverified") if {
	phase in {"coexistence", "enforcement"}
	_exempt(tool.name)
}

# METADATA
# title: Uncritical
# description: Class 4 or 5, and no critical permission. A permission that is not a plain string counts as critical.
uncritical(tool) if {
	classes.of(tool.name) >= 4
	is_array(data.gateway.migration.critical_permissions)
	every permission in tool.permissions {
		_uncritical(permission)
	}
}

_uncritical(permission) if {
	is_string(permission)
	segments := split(permission, ":")
	not _critical(segments)
}

_critical(segments) if {
	some critical in data.gateway.migration.critical_permissions
	_covers(segments, split(critical, ":"))
}

# A permission that says less than the pattern ("filesystem") stands for all of it.
_covers(segments, pattern) if {
	padded := array.concat(segments, ["*" | some _ in pattern])
	every index, segment in pattern {
		padded[index] in {segment, "*"}
	}
}

_covers(segments, pattern) if {
	count(pattern) == 1
	pattern[0] in segments
}

_exempt(name) if {
	some exemption in data.gateway.migration.exemptions
	exemption.tool == name
	exemption.server == input.call.server
	is_number(exemption.expires)
	input.env.now < exemption.expires
}
