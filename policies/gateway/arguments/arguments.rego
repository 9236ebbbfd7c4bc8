# METADATA
# title: Arguments
# description: >-
#   What the arguments themselves forbid, whoever asks: the checks of the tiers. A stricter tier has those of the
#   milder ones, and all of them come before anybody is asked to confirm (the strictest reason wins).
package gateway.arguments

import data.gateway.classes

# METADATA
# title: The arguments do not fit the tool's input schema
# description: The gateway validates, the policy decides. Every tier includes this check (defence in depth).
codes contains "arguments.schema_invalid" if not input.schema.valid == true

# METADATA
# title: An identifier could leave its place in the URL
# description: Path traversal and query injection through an id turn one tool into another.
codes contains "arguments.unsafe_identifier" if not _identifiers_safe

# METADATA
# title: A signature over the parameters that is not right
# description: Refused whether or not one was asked for. Somebody changed the call after it was signed, or repeats it.
codes contains "arguments.signature_invalid" if {
	input.call.proof.present == true
	not input.call.proof.valid == true
}

# METADATA
# title: No signature over the parameters
# description: The first phase proved it; its token is good for the same caller, tool and arguments only.
codes contains "arguments.signature_missing" if {
	not input.call.proof.present == true
	class := classes.of(input.tool.name)
	not _unsigned_will_do(class)
}

# METADATA
# title: A value has another form than the tool's rules say
# description: Patterns, allowed values and lengths of `rules`, for this tool alone.
codes contains "arguments.pattern_mismatch" if {
	some pointer, rule in _rules
	some value in _at(pointer)
	not _fits(value, rule)
}

# METADATA
# title: The arguments are built in another way than the tool's rules say
# description: Unknown members, forbidden members, lists that are too long.
codes contains "arguments.structure_invalid" if {
	keys := _structure.keys
	some key, _ in input.arguments
	not key in keys
}

codes contains "arguments.structure_invalid" if {
	some pointer, most in object.get(_structure, "max_items", {})
	some value in _at(pointer)
	count(value) > most
}

codes contains "arguments.structure_invalid" if {
	some pointer in object.get(_structure, "forbidden", [])
	count(_at(pointer)) > 0
}

codes contains "arguments.structure_invalid" if {
	most := _structure.depth
	walk(input.arguments, [path, _])
	count(path) > most
}

# METADATA
# title: Rules that cannot be used
# description: A pattern that is not anchored finds what it wants somewhere in a hostile value, so it allows anything.
codes contains "arguments.rules_unusable" if not _usable

_identifiers_safe if {
	identifiers := data.gateway.arguments.identifiers
	is_array(identifiers)
	every name, value in input.arguments {
		_safe(name, value, identifiers)
	}
}

_safe(name, _, identifiers) if not name in identifiers

_safe(_, value, _) if is_number(value)

_safe(_, value, _) if {
	is_string(value)
	regex.match(`^[A-Za-z0-9_-]{1,127}$`, value)
}

_unsigned_will_do(_) if input.consent.handshake.satisfied == true

_unsigned_will_do(class) if {
	asked_for := data.gateway.arguments.signed[input.call.era]
	is_array(asked_for)
	not class in asked_for
}

# A server with classes of its own has rules of its own: a name that PayPal's tools have means something else there.
_name := concat("/", [input.call.server, input.tool.name]) if {
	data.gateway.classes.servers[input.call.server]
} else := input.tool.name

default _rules := {}

_rules := data.gateway.arguments.rules[_name]

default _structure := {}

_structure := data.gateway.arguments.structure[_name]

# What stands at a pointer: nothing where there is nothing or null. One `*` stands for every element of a list.
_at(pointer) := [value |
	value := object.get(input.arguments, split(trim_prefix(pointer, "/"), "/"), null)
	value != null
] if {
	not contains(pointer, "*")
}

_at(pointer) := [value |
	places := split(pointer, "/*/")
	some element in object.get(input.arguments, split(trim_prefix(places[0], "/"), "/"), [])
	value := object.get(element, split(places[1], "/"), null)
	value != null
] if {
	contains(pointer, "/*/")
}

_fits(value, rule) if {
	is_string(value)
	count(value) <= object.get(rule, "max_length", count(value))
	value in object.get(rule, "values", [value])
	regex.match(object.get(rule, "pattern", `^`), value)
}

_usable if {
	is_object(data.gateway.arguments.signed)
	is_object(data.gateway.arguments.rules)
	is_object(data.gateway.arguments.structure)
	every rule in _rules {
		_anchored(object.get(rule, "pattern", `^$`))
	}
}

# `|` would end the anchor (`^a|b$`), `(?` brings what the two engines do not share; use `values` for alternatives.
_anchored(pattern) if {
	startswith(pattern, "^")
	endswith(pattern, "$")
	not endswith(pattern, `\$`)
	not contains(pattern, "|")
	not contains(pattern, "(?")
}
