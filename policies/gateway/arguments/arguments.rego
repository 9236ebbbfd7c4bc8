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
codes contains "arguments.unsafe_identifier" if not _identifiers_known

codes contains "arguments.unsafe_identifier" if {
	some name, value in input.arguments
	name in data.gateway.arguments.identifiers
	not _plain(value)
}

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
	object.get(data.gateway.arguments.signed, input.call.era, null) != []
	class := classes.of(input.tool.name)
	not _unsigned_will_do(class)
}

# METADATA
# title: A value has another form than the tool's rules say
# description: Patterns, allowed values and lengths of `rules`, for this tool alone.
codes contains "arguments.pattern_mismatch" if {
	some pointer, rule in _rules
	value := object.get(input.arguments, split(trim_prefix(pointer, "/"), "/"), null)
	value != null
	not _fits(value, rule)
}

codes contains "arguments.pattern_mismatch" if {
	some pointer, rule in _rules
	places := split(pointer, "/*/")
	inner := places[1]
	some element in object.get(input.arguments, split(trim_prefix(places[0], "/"), "/"), [])
	value := object.get(element, split(inner, "/"), null)
	value != null
	not _fits(value, rule)
}

# METADATA
# title: The arguments are built in another way than the tool's rules say
# description: Unknown members, forbidden members, lists that are too long.
codes contains "arguments.structure_invalid" if {
	_structure != {}
	_built_otherwise
}

# METADATA
# title: Rules that cannot be used
# description: A pattern that is not anchored finds what it wants somewhere in a hostile value, so it allows anything.
codes contains "arguments.rules_unusable" if not _usable

_identifiers_known if is_array(data.gateway.arguments.identifiers)

_plain(value) if is_number(value)

_plain(value) if {
	is_string(value)
	regex.match(`^[A-Za-z0-9_-]{1,127}$`, value)
}

_unsigned_will_do(_) if input.consent.handshake.satisfied == true

_unsigned_will_do(class) if {
	asked_for := data.gateway.arguments.signed[input.call.era]
	classes.readable(asked_for)
	not class in asked_for
}

# A server with classes of its own has rules of its own: a name that PayPal's tools have means something else there.
_name := concat("/", [input.call.server, input.tool.name]) if {
	object.get(data.gateway.classes.servers, input.call.server, null) != null
} else := input.tool.name

_rules := object.get(data.gateway.arguments.rules, _name, {}) if is_object(data.gateway.arguments.rules)

_structure := object.get(data.gateway.arguments.structure, _name, {}) if is_object(data.gateway.arguments.structure)

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

_built_otherwise if {
	keys := _structure.keys
	some key, _ in input.arguments
	not key in keys
}

_built_otherwise if {
	some pointer, most in _structure.max_items
	some value in _at(pointer)
	count(value) > most
}

_built_otherwise if {
	some pointer in _structure.forbidden
	count(_at(pointer)) > 0
}

_built_otherwise if {
	most := _structure.depth
	not _shallow(most)
	walk(input.arguments, [path, _])
	count(path) > most
}

# Whether a look at the upper levels is enough. `walk` makes a list for every value there is.
_shallow(most) if {
	most >= 6
	not _seven_levels
}

_seven_levels if {
	some a in input.arguments
	some b in a
	some c in b
	some d in c
	some e in d
	some f in e
	some _ in f
}

_usable if {
	is_object(data.gateway.arguments.signed)
	is_object(_rules)
	is_object(_structure)

	# All patterns as one text, with one that is good: a function that looks at each of them costs more than the matching.
	# `|` would end the anchor (`^a|b$`), `(?` brings what the two engines do not share; `values` are the alternatives.
	patterns := array.concat(["^$"], [rule.pattern | some rule in _rules])
	joined := concat(" & ", patterns)
	endswith(joined, "$")
	not endswith(joined, `\$`)
	not contains(joined, `\$ & ^`)
	count(split(joined, "$ & ^")) == count(patterns)
	not contains(joined, "|")
	not contains(joined, "(?")
}
