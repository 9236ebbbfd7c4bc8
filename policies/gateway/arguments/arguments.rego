# METADATA
# title: Arguments
# description: What the arguments themselves forbid, whoever asks.
package gateway.arguments

# METADATA
# title: The arguments do not fit the tool's input schema
# description: The gateway validates, the policy decides. Every tier includes this check (defence in depth).
codes contains "arguments.schema_invalid" if not input.schema.valid == true

# METADATA
# title: An identifier could leave its place in the URL
# description: Path traversal and query injection through an id turn one tool into another.
codes contains "arguments.unsafe_identifier" if not _identifiers_safe

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
