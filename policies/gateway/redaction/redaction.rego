# METADATA
# title: Redaction
# description: Which parts of a result the caller does not get to see.
package gateway.redaction

# METADATA
# title: Objection to the lists
# description: A list that cannot be read masks nothing, so nothing is sent that might need it.
objection_to(name) := "redaction.unconfigured" if not _usable(name)

# METADATA
# title: Pointers
# description: What to mask in the result of this call.
pointers := found if {
	not _may_see
	found := object.get(data.gateway.redaction.tools, input.tool.name, null)
	is_array(found)
}

_may_see if {
	some role in input.caller.roles
	role in data.gateway.redaction.roles
}

_usable(name) if {
	is_array(data.gateway.redaction.roles)
	is_object(data.gateway.redaction.tools)
	is_array(object.get(data.gateway.redaction.tools, name, []))
}
