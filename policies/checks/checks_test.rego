package checks_test

import data.checks

module(room, source_rules) := {
	"package": {"path": [
		{"type": "var", "value": "data"},
		{"type": "string", "value": "gateway"},
		{"type": "string", "value": room},
	]},
	"rules": source_rules,
}

saying(room, code) := module(room, [{"head": {"name": "objection", "value": {"type": "string", "value": code}}, "body": []}])

sound := {
	"annotations": [annotated(["gateway", room, "answer"]) | some room in ["decision", "listing", "admin", "passage"]],
	"modules": [saying("consent", "consent.given")],
	"catalogue": {"consent.given": {"outcome": "allow", "message": "m", "remedy": "r"}},
	"site": {"site.a": {"outcome": "handshake", "message": "m", "remedy": "r"}},
	"patterns": {"create_refund": {"/capture_id": {"pattern": "^[A-Z0-9]{10,32}$"}, "/note": {"values": ["a"]}}},
}

annotated(path) := {
	"annotations": {"title": "t", "description": "d", "entrypoint": true},
	"path": array.concat([{"type": "var", "value": "data"}], [{"type": "string", "value": part} | some part in path]),
}

negated(terms) := module("consent", [{
	"head": {"name": "objection", "value": {"type": "string", "value": "consent.given"}},
	"body": [{"negated": true, "terms": terms, "location": {"file": "x.rego", "row": 3}}],
}])

ref(parts) := {"type": "ref", "value": parts}

var(name) := {"type": "var", "value": name}

text(value) := {"type": "string", "value": value}

found(patch) := violations if {
	violations := checks.violations with input as json.patch(sound, patch)
}

replaced(path, value) := found([{"op": "replace", "path": path, "value": value}])

added(path, value) := found([{"op": "add", "path": path, "value": value}])

test_a_sound_policy if found([]) == set()

test_entrypoints if {
	replaced("/annotations/0/annotations/entrypoint", false) == {"data.gateway.decision.answer: is not an entrypoint"}
	more := added("/annotations/-", annotated(["gateway", "money", "answer"]))
	more == {"data.gateway.money.answer: must not be an entrypoint"}
}

test_described if replaced("/annotations/1/annotations/title", "") == {"data.gateway.listing.answer: no title"}

test_a_code_without_an_entry if {
	violations := added("/modules/-", saying("money", "money.strange"))

	violations == {`gateway.money: the code "money.strange" is not in reasons/data.yaml`}
}

test_a_code_that_nobody_says if {
	violations := added("/catalogue/money.idle", {"outcome": "deny", "message": "m", "remedy": "r"})

	violations == {`the code "money.idle" is said by no rule of gateway.money`}
}

test_an_incomplete_reason if {
	every reason in [
		{"outcome": "denny", "message": "m", "remedy": "r"},
		{"outcome": "allow", "message": " ", "remedy": "r"},
		{"outcome": "allow", "message": "m", "remedy": ""},
		{"outcome": "allow", "message": "m"},
	] {
		replaced("/catalogue/consent.given", reason) == {`the reason "consent.given" is incomplete`}
	}
}

test_another_room_says_allow if {
	found([
		{"op": "add", "path": "/modules/-", "value": saying("money", "money.fine")},
		{"op": "add", "path": "/catalogue/money.fine", "value": {"outcome": "allow", "message": "m", "remedy": "r"}},
	]) == {`the code "money.fine" must not say allow`}
}

test_a_reason_that_is_no_sites if {
	deny := {"outcome": "deny", "message": "m", "remedy": "r"}
	outsider := added("/site/money.a", deny)
	outsider == {"site/data.yaml: the reason \"money.a\" does not begin with `site.`"}

	every outcome in ["allow", "confirm"] {
		replaced("/site/site.a/outcome", outcome) == {`site/data.yaml: the reason "site.a" says neither deny nor handshake`}
	}
}

test_risky_negations if {
	is_known := ref([var("known")])
	nested := ref([var("data"), text("m"), ref([var("x"), text("y")])])
	cases := {
		"rule": ref([var("ok")]),
		"field": ref([var("input"), text("a")]),
		"call of a variable": [is_known, var("x"), text("y")],
		"comparison of fields": [ref([var("equal")]), ref([var("x"), text("y")]), text("a")],
		"RISKY lookup by a field": nested,
		"RISKY call of a field": [is_known, ref([var("x"), text("y")])],
		"RISKY call of a call": [is_known, {"type": "call", "value": [is_known, var("x")]}],
		"RISKY comparison of a call": [ref([var("equal")]), {"type": "call", "value": [is_known, var("x")]}, text("a")],
		"RISKY call of a field, as a term": {"type": "call", "value": [is_known, ref([var("x"), text("y")])]},
	}
	wrong := {name |
		some name, terms in cases
		violations := replaced("/modules/0", object.union(negated(terms), {"rules": array.concat(
			negated(terms).rules,
			sound.modules[0].rules,
		)}))
		count(violations) == 1 != startswith(name, "RISKY")
	}

	wrong == set()
}

test_with if {
	rule := {"head": {"name": "x"}, "body": [{"terms": ref([var("y")]), "with": [{"target": ref([var("input")])}]}]}

	added("/modules/-", module("money", [rule])) == {"gateway.money: `with` is for tests"}
}

test_arity if {
	found([
		{"op": "add", "path": "/modules/-", "value": module("money", _function(["x"]))},
		{"op": "add", "path": "/modules/-", "value": module("limits", _function(["x", "y"]))},
	]) == {`the function "of" has 1 and 2 arguments in different packages`}
}

_function(names) := [{"head": {"name": "of", "args": [var(name) | some name in names]}, "body": []}]

test_patterns_of_the_tables if {
	bad := added("/patterns/create_refund/~1capture_id", {"pattern": "^(a+)+$"})
	bad == {"arguments/data.yaml: create_refund: /capture_id: the engines do not read it alike"}
}

_matching(pattern) := [{
	"head": {"name": "x"},
	"body": [{"terms": [ref([var("regex"), text("match")]), text(pattern), ref([var("input"), text("y")])]}],
}]

test_patterns_of_the_rules if {
	added("/modules/-", module("limits", _matching(`^(0|[1-9])$`))) == set()
	bad := added("/modules/-", module("limits", _matching(`^\w+$`)))
	bad == {`gateway.limits: the pattern "^\\w+$" is not for both engines`}
}
