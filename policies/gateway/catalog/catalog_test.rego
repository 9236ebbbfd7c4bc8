package gateway.catalog_test

import data.gateway.catalog
import data.gateway.example_test

tool := example_test.read.tool

approval := example_test.read.approval

objection(tool_patch, approval_patch) := code if {
	code := catalog.objection(
		object.union(tool, tool_patch),
		object.union(approval, approval_patch),
	) with input as example_test.read
}

test_the_approved_tool_is_fine if not objection({}, {})

test_an_approval_with_a_date_in_the_future_is_fine if {
	not objection({}, {"expires": example_test.now + 1})
}

test_objections if {
	cases := {
		"catalog.unverified": [{"etdi": {"status": "unverified", "evidence": null}}, {}],
		"catalog.token_invalid": [{"etdi": {"status": "token_invalid"}}, {}],
		"catalog.signature_invalid": [{"etdi": {"status": "signature_invalid"}}, {}],
		"catalog.approval_void": [{}, {"void": "edited", "revoked": true}],
		"catalog.approval_revoked": [{}, {"revoked": true}],
		"catalog.approval_expired": [{}, {"expires": example_test.now}],
		"catalog.version_changed": [{"version": "1.0.1"}, {}],
		"catalog.provider_changed": [{"provider": null}, {}],
		"catalog.permissions_changed": [{"permissions": ["catalog:read", "catalog:write"]}, {}],
		"catalog.permission_not_approved": [{}, {"approved": []}],
		"catalog.definition_changed": [{"definition_hash": "b"}, {}],
	}
	wrong := {wanted: got |
		some wanted, patches in cases
		got := objection(patches[0], patches[1])
		got != wanted
	}

	wrong == {}
}

test_nobody_approved_it if {
	catalog.objection(tool, null) == "catalog.not_approved" with input as example_test.read
}

test_verified_by_something_that_is_not_accepted if {
	objection({"etdi": {"evidence": null}}, {}) == "catalog.unverified"
	objection({}, {}) == "catalog.unverified" with data.gateway.catalog.accepted_evidence as ["token"]
}

test_the_first_that_fails_decides if {
	everything := {"version": "2", "provider": "x", "permissions": ["y"], "definition_hash": "b"}

	objection(everything, {}) == "catalog.version_changed"
	objection(object.remove(everything, ["version"]), {}) == "catalog.provider_changed"
	objection(object.remove(everything, ["version", "provider"]), {}) == "catalog.permissions_changed"
}

# LLD-A 3.5, the new-permission test.
test_new_permissions if {
	new := {name |
		some name, lists in {
			"nothing asked": [[], []],
			"nothing asked any more": [[], ["a"]],
			"the same": [["a"], ["a"]],
			"the same twice": [["a", "a"], ["a"]],
			"less": [["a"], ["a", "b"]],
			"NEW from nothing": [["a"], []],
			"NEW beside old": [["a", "b"], ["a"]],
			"the same object": [[{"scope": "a"}], [{"scope": "a"}]],
			"NEW object": [[{"scope": "b"}], [{"scope": "a"}]],
		}
		objection({"permissions": lists[0]}, {"requested": lists[1], "approved": lists[1]}) == "catalog.permissions_changed"
	}

	new == {"NEW from nothing", "NEW beside old", "NEW object"}
}

test_a_part_of_the_permissions_is_enough_where_the_needs_are_known if {
	wide := {"permissions": ["catalog:read", "catalog:write"]}
	part := {"requested": ["catalog:read", "catalog:write"], "approved": ["catalog:read"]}

	objection(wide, part) == "catalog.permission_not_approved"
	not objection(wide, part) with data.gateway.catalog.needs as {"paypal/list_products": ["catalog:read"]}
}

test_an_unapproved_tool_is_held_to_its_first_definition if {
	other := object.union(tool, {"changed_since_first_use": true})
	catalog.objection(other, null) == "catalog.first_use_changed" with input as example_test.read
		with data.gateway.migration.phase as "coexistence"
	not catalog.objection(tool, null) with input as example_test.read
		with data.gateway.migration.phase as "coexistence"
	not catalog.objection(other, null) with input as example_test.read
		with data.gateway.migration.phase as "preparation"
	catalog.softened(other, null) == {"catalog.not_approved", "catalog.first_use_changed"} with input as example_test.read
		with data.gateway.migration.phase as "preparation"
	not objection({"changed_since_first_use": true}, {})
}

test_softened_in_preparation if {
	foreign := object.union(tool, {"etdi": {"status": "unverified", "evidence": null}})

	catalog.softened(foreign, null) == {"catalog.unverified", "catalog.not_approved"} with input as example_test.read
		with data.gateway.migration.phase as "preparation"
	not catalog.objection(foreign, null) with input as example_test.read
		with data.gateway.migration.phase as "preparation"
}

test_nothing_to_soften if {
	catalog.softened(tool, approval) == set() with data.gateway.migration.phase as "preparation"
}

test_softening_does_not_end_the_checks if {
	foreign := object.union(tool, {"etdi": {"status": "unverified", "evidence": null}, "definition_hash": "b"})

	catalog.objection(foreign, approval) == "catalog.definition_changed" with input as example_test.read
		with data.gateway.migration.phase as "preparation"
}

test_what_the_inspector_found_refuses_nobody_by_itself if {
	not objection({"content": {"severity": "HIGH", "codes": ["HIDES_FROM_USER"]}}, {})
}

refused_at(list) := {severity |
	some severity in ["HIGH", "MEDIUM", "LOW", "NONE", "UNHEARD_OF"]
	found := {"content": {"severity": severity, "codes": []}}
	got := objection(found, {}) with data.gateway.catalog.refuse_content as list
	got == "catalog.content_refused"
}

test_what_the_inspector_found_counts_where_the_operator_says_so if {
	refused_at(["HIGH"]) == {"HIGH", "UNHEARD_OF"}
	refused_at(["HIGH", "MEDIUM"]) == {"HIGH", "MEDIUM", "UNHEARD_OF"}
}

test_a_list_that_is_none_refuses_everything if {
	refused_at("HIGH") == {"HIGH", "MEDIUM", "LOW", "NONE", "UNHEARD_OF"}
}

test_a_tool_that_nobody_looked_at_is_refused_with_the_rest if {
	objection({}, {}) == "catalog.content_refused" with data.gateway.catalog.refuse_content as ["HIGH"]
}

test_no_phase_softens_what_was_found if {
	poisoned := object.union(tool, {
		"etdi": {"status": "unverified", "evidence": null},
		"content": {"severity": "HIGH", "codes": ["HIDES_FROM_USER"]},
	})

	catalog.objection(poisoned, null) == "catalog.content_refused" with input as example_test.read
		with data.gateway.migration.phase as "preparation"
		with data.gateway.catalog.refuse_content as ["HIGH"]
}
