# METADATA
# title: Classes
# description: The data class of a tool, from `data.yaml` beside this file. Never from the caller or the upstream.
package gateway.classes

# METADATA
# title: The class of a tool
# description: 1 to 5. Undefined for an unknown tool, and for a class that does not exist.
of(name) := class if {
	class := object.get(data.gateway.classes.tools, name, null)
	class in {1, 2, 3, 4, 5}
} else := class if {
	class := object.get(data.gateway.classes.aliases, name, null)
	class in {1, 2, 3, 4, 5}
}

# METADATA
# title: The tool has no class
# description: There is no default class; an unclassified tool can never be executed.
objection := "classes.unclassified"
