# METADATA
# title: Classes
# description: The data class of a tool, from `data.yaml` beside this file. Never from the caller or the upstream.
package gateway.classes

# METADATA
# title: The class of a tool
# description: >-
#   1 to 5. Undefined for an unknown tool, and for a class that does not exist. A server that has a table of its own is
#   judged by it and by nothing else: a name that PayPal's tools have means something else there.
of(name) := class if {
	class := object.get(_own, name, null)
	class in {1, 2, 3, 4, 5}
} else := class if {
	_general
	class := object.get(data.gateway.classes.tools, name, null)
	class in {1, 2, 3, 4, 5}
} else := class if {
	_general
	class := object.get(data.gateway.classes.aliases, name, null)
	class in {1, 2, 3, 4, 5}
}

default _own := {}

_own := table if {
	table := data.gateway.classes.servers[input.call.server]
	is_object(table)
}

_general if {
	servers := data.gateway.classes.servers
	is_object(servers)
	server := input.call.server
	own := object.keys(servers)
	not server in own
}

# METADATA
# title: The tool has no class
# description: There is no default class; an unclassified tool can never be executed.
objection := "classes.unclassified"

# METADATA
# title: A list of classes that can be read
# description: >-
#   The classes are numbers here, and texts where they are keys. A class that stands in such a list as a text would never be
#   met, and what the list protects it from would be off.
readable(list) if {
	is_array(list)
	every class in list {
		class in {1, 2, 3, 4, 5}
	}
}
