package gateway.migration_test

import data.gateway.example_test
import data.gateway.migration

# The 1 stands for class 1 to 3, the 4 for an uncritical tool of class 4 or 5.
softened(phase) := {concat(" ", [tool.name, code]) |
	some tool in [example_test.refund.tool, example_test.read.tool]
	some code in [
		"catalog.unverified",
		"catalog.not_approved",
		"catalog.token_invalid",
		"catalog.signature_invalid",
		"catalog.definition_changed",
		"catalog.version_changed",
		"catalog.approval_void",
		"catalog.approval_revoked",
		"catalog.approval_expired",
	]
	migration.softens(tool, code) with input as example_test.read with data.gateway.migration.phase as phase
}

test_preparation if {
	softened("preparation") == {
		"create_refund catalog.unverified",
		"create_refund catalog.not_approved",
		"list_products catalog.unverified",
		"list_products catalog.not_approved",
		"list_products catalog.token_invalid",
		"list_products catalog.signature_invalid",
	}
}

test_coexistence if {
	softened("coexistence") == {"list_products catalog.unverified", "list_products catalog.not_approved"}
}

test_enforcement_completion_and_a_typing_error if {
	softened("enforcement") == set()
	softened("completion") == set()
	softened("Preparation") == set()
}

test_the_phase_of_a_class if {
	migration.phase_of(4) == "coexistence" with data.gateway.migration.classes as {"4": "coexistence"}
	migration.phase_of(3) == "enforcement" with data.gateway.migration.classes as {"4": "coexistence"}
	not migration.phase_of(4) with data.gateway.migration.classes as {"4": "coexistance"}
	not migration.phase_of(null)
}

test_an_exemption_ends_at_its_second if {
	exemption := {"server": "paypal", "tool": "list_products", "expires": example_test.now + 1}
	over := object.union(exemption, {"expires": example_test.now})
	elsewhere := object.union(exemption, {"server": "other"})
	exempt := {name |
		some name, entry in {"valid": exemption, "over": over, "elsewhere": elsewhere}
		migration.softens(example_test.read.tool, "catalog.unverified") with input as example_test.read
			with data.gateway.migration.exemptions as [entry]
	}

	exempt == {"valid"}
}

test_completion_ignores_exemptions if {
	exemption := {"server": "paypal", "tool": "list_products", "expires": example_test.now + 1}
	not migration.softens(example_test.read.tool, "catalog.unverified") with input as example_test.read
		with data.gateway.migration.exemptions as [exemption]
		with data.gateway.migration.phase as "completion"
}

# C46: by segments, wildcards count, a substring does not.
test_critical_permissions if {
	uncritical := {permission |
		some permission in [
			"admin", "admin:users", "billing:admin", "system", "filesystem:write", "filesystem:*", "filesystem",
			"*", "*:write", "network:all", "network:*:x", "filesystem:write:tmp",
			"administration", "myadmin", "filesystem:read", "network:local", "catalog:read", "",
		]
		tool := object.union(example_test.read.tool, {"permissions": [permission]})
		migration.uncritical(tool) with input as example_test.read
	}

	uncritical == {"administration", "myadmin", "filesystem:read", "network:local", "catalog:read", ""}
}

test_critical_whatever_the_permissions if {
	odd := object.union(example_test.read.tool, {"permissions": [{"scope": "read"}]})
	migration.uncritical(example_test.read.tool) with input as example_test.read
	not migration.uncritical(example_test.refund.tool) with input as example_test.refund
	not migration.uncritical(odd) with input as example_test.read
	not migration.uncritical(example_test.read.tool) with input as example_test.read
		with data.gateway.migration.critical_permissions as null
}

test_preparation_may_refuse_what_is_wrong if {
	invalid := {tool.name |
		some tool in [example_test.refund.tool, example_test.read.tool]
		some code in ["catalog.token_invalid", "catalog.signature_invalid"]
		migration.softens(tool, code) with input as example_test.read
			with data.gateway.migration.phase as "preparation"
			with data.gateway.migration.preparation as {"monitor_only": false}
	}
	invalid == set()
}

# A switch lets off a permission, never a class.
test_coexistence_without_the_rule_for_critical_permissions if {
	wide := object.union(example_test.read.tool, {"permissions": ["admin"]})
	softened_then := {tool.name |
		some tool in [wide, example_test.refund.tool]
		migration.softens(tool, "catalog.unverified") with input as example_test.read
			with data.gateway.migration.phase as "coexistence"
			with data.gateway.migration.coexistence as {"require_etdi_for_critical": false}
	}
	softened_then == {"list_products"}
	not migration.softens(wide, "catalog.unverified") with input as example_test.read
		with data.gateway.migration.phase as "coexistence"
	not migration.softens(wide, "catalog.token_invalid") with input as example_test.read
		with data.gateway.migration.phase as "coexistence"
		with data.gateway.migration.coexistence as {"require_etdi_for_critical": false}
}

test_missing_switches_are_the_strict_side if {
	not migration.softens(example_test.read.tool, "catalog.token_invalid") with input as example_test.read
		with data.gateway.migration.phase as "preparation"
		with data.gateway.migration.preparation as {}
	not migration.quiet("coexistence") with data.gateway.migration.coexistence as {}
	not migration.prefers("coexistence") with data.gateway.migration.coexistence as {}
}

test_quiet_and_prefers if {
	not migration.quiet("preparation")
	not migration.quiet("enforcement")
	migration.quiet("preparation") with data.gateway.migration.preparation as {"enable_etdi": false}
	migration.quiet("coexistence") with data.gateway.migration.coexistence as {"warning_for_non_etdi": false}
	migration.prefers("coexistence")
	not migration.prefers("preparation")
}

test_an_exempt_tool if {
	exemption := {"server": "paypal", "tool": "list_products", "expires": example_test.now + 1}
	migration.exempt(example_test.read.tool) with input as example_test.read
		with data.gateway.migration.exemptions as [exemption]
	not migration.exempt(example_test.read.tool) with input as example_test.read
	not migration.exempt(example_test.read.tool) with input as example_test.read
		with data.gateway.migration.exemptions as [exemption]
		with data.gateway.migration.phase as "completion"
}

test_the_four_priorities if {
	served := {concat(" ", [format_int(priority, 10), format_int(class, 10)]) |
		some priority in [1, 2, 3, 4]
		some class in [1, 2, 3, 4, 5]
		not migration.rollout(class) with data.gateway.migration.priority as priority
	}
	served == {
		"1 4", "1 5",
		"2 3", "2 4", "2 5",
		"3 1", "3 2", "3 3", "3 4", "3 5",
		"4 1", "4 2", "4 3", "4 4", "4 5",
	}
	every wrong in [0, null, "4"] {
		migration.rollout(5) == "migration.not_rolled_out" with data.gateway.migration.priority as wrong
	}
}

# The phase of a read under a ramp, where everything else is in preparation.
under(ramp, env) := phase if {
	read := object.union(example_test.read, {"env": env})
	phase := migration.phase_at("list_products") with input as read
		with data.gateway.migration.phase as "preparation"
		with data.gateway.migration.ramps as {"classes": {"4": ramp}, "tools": {}, "stop_when_held": true}
}

test_a_ramp_reaches_its_share if {
	reached := {number |
		some number in [0, 9, 10, 49, 50, 59, 60, 99]
		under({"phase": "enforcement", "share": 10, "first": 50}, {"ramp": number}) == "enforcement"
	}
	reached == {50, 59}
	under({"phase": "enforcement", "share": 10}, {"ramp": 9}) == "enforcement"
	under({"phase": "enforcement", "share": 10}, {"ramp": 10}) == "preparation"
}

test_none_and_all if {
	under({"phase": "enforcement", "share": 0}, {"ramp": 0}) == "preparation"
	under({"phase": "enforcement", "share": 100}, {"ramp": 99}) == "enforcement"
}

test_who_is_not_known_to_be_outside_is_inside if {
	under({"phase": "enforcement", "share": 1}, {}) == "enforcement"
	under({"phase": "enforcement", "share": 1}, {"ramp": "99"}) == "enforcement"
	under({"phase": "enforcement", "share": 0}, {}) == "preparation"
}

test_a_ramp_is_a_way_to_more_enforcement_only if {
	phase := migration.phase_at("list_products") with input as example_test.read
		with data.gateway.migration.ramps as {"classes": {"4": {"phase": "preparation", "share": 100}}, "tools": {}}
	phase == "enforcement"
}

test_a_tools_own_ramp_goes_first if {
	ramps := {
		"classes": {"4": {"phase": "completion", "share": 100}},
		"tools": {"list_products": {"phase": "completion", "share": 0}},
	}
	phase := migration.phase_at("list_products") with input as example_test.read
		with data.gateway.migration.ramps as ramps
	phase == "enforcement"
}

test_a_held_candidate_stops_ramps_that_say_so if {
	ramp := {"phase": "enforcement", "share": 100}
	under(ramp, {"ramp": 0, "shadow": "held"}) == "preparation"
	under(ramp, {"ramp": 0, "shadow": "ok"}) == "enforcement"
	phase := migration.phase_at("list_products") with input as object.union(example_test.read, {"env": {"shadow": "held"}})
		with data.gateway.migration.phase as "preparation"
		with data.gateway.migration.ramps as {"classes": {"4": ramp}}
	phase == "enforcement"
}

# A typing error in a ramp must not leave the tool where it was: nobody would notice that nothing is enforced.
test_a_ramp_that_cannot_be_understood_leaves_no_phase if {
	good := {"phase": "enforcement", "share": 10}
	every wrong in [
		{"phase": "enforcment"},
		{"share": "10"},
		{"share": -1},
		{"share": 101},
		{"first": 95},
		{"first": "a"},
		{"first": -1},
	] {
		not under(object.union(good, wrong), {"ramp": 99})
	}
	not under(10, {"ramp": 99})
	not under({"phase": "enforcement"}, {"ramp": 99})
}

test_a_ramp_softens_nothing_that_its_phase_does_not if {
	ramps := {"classes": {"4": {"phase": "enforcement", "share": 10}}, "tools": {}}
	inside := object.union(example_test.read, {"env": {"ramp": 9}})
	outside := object.union(example_test.read, {"env": {"ramp": 10}})
	softened_for := {[question.env.ramp, code] |
		some question in [inside, outside]
		some code in ["catalog.unverified", "catalog.approval_revoked"]
		migration.softens(example_test.read.tool, code) with input as question
			with data.gateway.migration.phase as "preparation"
			with data.gateway.migration.ramps as ramps
	}
	softened_for == {[10, "catalog.unverified"]}
}
