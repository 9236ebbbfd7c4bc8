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
