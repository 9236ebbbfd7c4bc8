# METADATA
# title: Syntax trees
# description: Reads what `opa parse --format json --json-include locations` says of one module.
package checks.ast

# METADATA
# title: Path
# description: A path of terms as one text.
path(terms) := concat(".", [term.value | some term in terms])

# METADATA
# title: Package
# description: Without the leading `data`.
package_of(module) := concat(".", [term.value | some index, term in module["package"].path; index > 0])

# METADATA
# title: Room
# description: The last part of the package.
room_of(module) := [term.value | some term in module["package"].path][count(module["package"].path) - 1]

# METADATA
# title: Codes
# description: Texts of the form `room.something` for one of the rooms.
codes(module, rooms) := {node.value |
	walk(module.rules, [_, node])
	node.type == "string"
	regex.match(`^[a-z_]+\.[a-z_]+$`, node.value)
	split(node.value, ".")[0] in rooms
}

# METADATA
# title: Overrides
# description: Whether any expression uses `with`.
overrides(module) if {
	walk(module.rules, [_, node])
	count(node["with"]) > 0
}

# METADATA
# title: Functions
# description: The heads of all rules with arguments.
functions(module) := [rule.head |
	some rule in _rules(module)
	rule.head.args
]

# METADATA
# title: Risky negations
# description: Where the two engines would disagree about something undefined.
risky_negations(module) := {node.location |
	walk(module.rules, [_, node])
	node.negated == true
	_risky(node.terms)
}

# METADATA
# title: Patterns
# description: The patterns that a module hands to `regex.match` as they stand there.
patterns(module) := {node[1].value |
	walk(module.rules, [_, node])
	is_array(node)
	called := concat(".", [part.value | some part in node[0].value])
	called == "regex.match"
	node[1].type == "string"
}

# A rule and the rules of its `else` branches.
_rules(module) := [node |
	walk(module.rules, [_, node])
	node.head
]

_comparisons := {"equal", "neq", "lt", "lte", "gt", "gte"}

# A bare reference is fine unless it is looked up by another one.
_risky(terms) if {
	is_object(terms)
	terms.type == "ref"
	some part in terms.value
	part.type in {"ref", "call"}
}

_risky(terms) if {
	is_object(terms)
	terms.type == "call"
	_risky_call(terms.value)
}

_risky(terms) if {
	is_array(terms)
	_risky_call(terms)
}

_risky_call(terms) if {
	some index, argument in terms
	index > 0
	_risky_argument(terms[0], argument)
}

_risky_argument(_, argument) if argument.type in {"call", "array", "object", "set"}

_risky_argument(operator, argument) if {
	argument.type == "ref"
	not operator.value[0].value in _comparisons
}
