# METADATA
# title: Checks
# description: >-
#   Policy about policies. The input is {"annotations": what `opa inspect -a -f json` says, "modules": what `opa parse
#   --format json` says of each file without the tests, "catalogue": of reasons/data.yaml, and the site's reasons below it,
#   "site": `reasons` of site/data.yaml, "patterns": `rules` of arguments/data.yaml}. `violations` must be empty.
package checks

import data.checks.ast
import data.checks.patterns

# METADATA
# title: Entrypoints
# description: The four questions that the gateway asks; it gets no answer from anywhere else.
violations contains sprintf("%s: %s", [path, problem]) if {
	some path, problem in object.union(
		{path: "is not an entrypoint" | some path in (_entrypoints - _annotated_entrypoints)},
		{path: "must not be an entrypoint" | some path in (_annotated_entrypoints - _entrypoints)},
	)
}

# METADATA
# title: Described
# description: Every annotation has a title and a description; the documentation is made of them.
violations contains sprintf("%s: no %s", [ast.path(entry.path), field]) if {
	some entry in input.annotations
	some field in ["title", "description"]
	object.get(entry.annotations, field, "") == ""
}

# METADATA
# title: Known codes
# description: A code in a rule has an entry in the catalogue. Without one it would deny with a text that helps nobody.
violations contains sprintf("%s: the code %q is not in reasons/data.yaml", [ast.package_of(module), code]) if {
	some module in input.modules
	some code in ast.codes(module, _rooms)
	not input.catalogue[code]
}

# METADATA
# title: Said where it belongs
# description: The first half of a code is the room that says it, so that one search finds all of it.
violations contains sprintf("the code %q is said by no rule of gateway.%s", [code, room]) if {
	some code, _ in input.catalogue
	room := split(code, ".")[0]
	not _said_at_home(code, room)
}

# METADATA
# title: Complete reasons
# description: An outcome that exists, a message and a remedy; nothing else.
violations contains sprintf("the reason %q is incomplete", [code]) if {
	some code, reason in input.catalogue
	not _complete(reason)
}

# METADATA
# title: Who says allow
# description: Only consent, admin and passage, which are asked. A room that is silent must not be outvoted by a new one.
violations contains sprintf("the code %q must not say allow", [code]) if {
	some code, reason in input.catalogue
	reason.outcome == "allow"
	room := split(code, ".")[0]
	not room in {"consent", "admin", "passage"}
}

# METADATA
# title: A site's own reasons
# description: >-
#   They are about codes of gateway.site alone, and say deny or handshake. People are asked for with `quorums`: only
#   consent knows when enough of them have confirmed.
violations contains sprintf("site/data.yaml: the reason %q %s", [code, problem]) if {
	some code, reason in input.site
	problem := _not_a_sites(code, reason)
}

# METADATA
# title: Negation
# description: >-
#   In OPA `not f(input.x)` is false when the field is absent, in rego-cpp it is true, and `not f(g(x))` and `not m[x.y]`
#   differ as well. Negated calls take variables and constants; comparisons may hold references.
violations contains sprintf("%s:%d: put what is negated into a variable first", [at.file, at.row]) if {
	some module in input.modules
	some at in ast.risky_negations(module)
}

# METADATA
# title: Override
# description: "`with` makes rego-cpp abort the process; it is for tests."
violations contains sprintf("%s: `with` is for tests", [ast.package_of(module)]) if {
	some module in input.modules
	ast.overrides(module)
}

# METADATA
# title: Arity
# description: Two functions of one name with a different number of arguments make rego-cpp crash while it compiles.
violations contains sprintf("the function %q has %d and %d arguments in different packages", [name, least, most]) if {
	some name, arities in _arities
	least := min(arities)
	most := max(arities)
	least != most
}

# METADATA
# title: Patterns of the tables
# description: Both engines match them alike and in linear time, whatever the caller sends.
violations contains sprintf("arguments/data.yaml: %s: %s: %s", [tool, pointer, problem]) if {
	some tool, pointers in input.patterns
	some pointer, rule in pointers
	some problem in patterns.problems(rule)
}

# METADATA
# title: Patterns of the rules
# description: The same for patterns that are written into a rule; one that is computed is a table's, and judged there.
violations contains sprintf("%s: the pattern %q is not for both engines", [ast.package_of(module), pattern]) if {
	some module in input.modules
	some pattern in ast.patterns(module)
	not patterns.fit_for_a_rule(pattern)
}

_entrypoints := {
	"data.gateway.decision.answer",
	"data.gateway.listing.answer",
	"data.gateway.admin.answer",
	"data.gateway.passage.answer",
}

_annotated_entrypoints contains ast.path(entry.path) if {
	some entry in input.annotations
	entry.annotations.entrypoint == true
}

_rooms := {split(code, ".")[0] | some code, _ in input.catalogue} | {ast.room_of(module) | some module in input.modules}

_said_at_home(code, room) if {
	some module in input.modules
	ast.room_of(module) == room
	code in ast.codes(module, {room})
}

_complete(reason) if {
	object.keys(reason) == {"outcome", "message", "remedy"}
	reason.outcome in {"deny", "handshake", "confirm", "allow"}
	trim_space(reason.message) != ""
	trim_space(reason.remedy) != ""
}

_not_a_sites(code, reason) := "does not begin with `site.`" if {
	not startswith(code, "site.")
} else := "says neither deny nor handshake" if {
	not reason.outcome in {"deny", "handshake"}
}

_arities[name] contains count(head.args) if {
	some module in input.modules
	some head in ast.functions(module)
	name := head.name
}
