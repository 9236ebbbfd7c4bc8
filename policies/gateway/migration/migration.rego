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
# title: The phase of a tool
# description: >-
#   For this caller: its class's, or the later one of a ramp that has reached the caller. A ramp that cannot be understood
#   leaves the tool without a phase, which denies it.
phase_at(name) := phase if {
	class := classes.of(name)
	phase := _ramped(phase_of(class), _ramp(name, class))
}

_ramp(name, class) := ramp if {
	ramp := data.gateway.migration.ramps.tools[name]
} else := ramp if {
	ramp := data.gateway.migration.ramps.classes[format_int(class, 10)]
} else := null

# A ramp that says an earlier phase changes nothing: it is a way to more enforcement only.
_ramped(base, null) := base

_ramped(base, ramp) := phase if {
	_whole(ramp)
	phase := _later(base, ramp)
}

_later(base, ramp) := ramp.phase if {
	rank[ramp.phase] > rank[base]
	not _outside(ramp)
} else := base

_whole(ramp) if {
	rank[ramp.phase]
	is_number(ramp.share)
	ramp.share >= 0
	is_number(_first(ramp))
	_first(ramp) >= 0
	_first(ramp) + ramp.share <= 100
}

_first(ramp) := object.get(ramp, "first", 0)

# Who is not known to be outside is inside: a question without the fact is judged by the later phase.
_outside(ramp) if ramp.share == 0

_outside(ramp) if {
	is_number(input.env.ramp)
	input.env.ramp < _first(ramp)
}

_outside(ramp) if {
	is_number(input.env.ramp)
	input.env.ramp >= _first(ramp) + ramp.share
}

_outside(_) if {
	data.gateway.migration.ramps.stop_when_held == true
	input.env.shadow == "held"
}

# METADATA
# title: Objection to the phase
# description: A typing error in the phase must not weaken anything.
objection := "migration.phase_unknown"

# METADATA
# title: Softens
# description: Whether the phase turns this objection to this tool into a warning.
softens(tool, code) if {
	phase := phase_at(tool.name)
	_softens(phase, tool, code)
}

_softens("preparation", _, code) if {
	code in {"catalog.unverified", "catalog.not_approved", "catalog.first_use_changed"}
}

_softens("preparation", tool, code) if {
	code in {"catalog.token_invalid", "catalog.signature_invalid"}
	data.gateway.migration.preparation.monitor_only == true
	uncritical(tool)
}

_softens("coexistence", tool, code) if {
	code in {"catalog.unverified", "catalog.not_approved"}
	_optional(tool)
}

_softens(phase, tool, "catalog.unverified") if {
	phase in {"coexistence", "enforcement"}
	_exempt(tool.name)
}

_optional(tool) if uncritical(tool)

# A critical permission may be let off; a class never (C46).
_optional(tool) if {
	data.gateway.migration.coexistence.require_etdi_for_critical == false
	classes.of(tool.name) >= 4
}

# METADATA
# title: Exempt
# description: Whether an exemption holds for this tool now, in a phase that knows exemptions.
exempt(tool) if {
	phase := phase_at(tool.name)
	phase in {"coexistence", "enforcement"}
	_exempt(tool.name)
}

# METADATA
# title: Quiet
# description: Whether nothing is said to callers of what this phase softens. The audit has it all the same.
quiet(phase) if phase in _quiet

_quiet contains "preparation" if data.gateway.migration.preparation.enable_etdi == false

_quiet contains "coexistence" if data.gateway.migration.coexistence.warning_for_non_etdi == false

# METADATA
# title: Verified tools first
# description: Whether listings begin with the verified tools of that phase.
prefers(phase) if {
	phase == "coexistence"
	data.gateway.migration.coexistence.prefer_etdi == true
}

# METADATA
# title: Not rolled out
# description: >-
#   The four priorities of the zero-trust addendum: the classes 4 and 5 come first, then class 3, then the classes 1 and
#   2. A priority that is missing or is no number serves nothing.
rollout(class) := "migration.not_rolled_out" if not _rolled_out(class)

_rolled_out(_) if _priority >= 3

_rolled_out(class) if {
	_priority == 2
	class >= 3
}

_rolled_out(class) if {
	_priority >= 1
	class >= 4
}

_priority := data.gateway.migration.priority if is_number(data.gateway.migration.priority)

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
