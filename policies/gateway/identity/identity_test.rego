package gateway.identity_test

import data.gateway.example_test
import data.gateway.identity

caller := example_test.read.caller

test_the_agent_may if {
	every class in [1, 2, 3, 4, 5] {
		not identity.objection(caller, class)
	}
}

test_objections if {
	cases := {
		"identity.no_subject": [{"op": "add", "path": "/subject", "value": ""}],
		"identity.role_missing": [{"op": "add", "path": "/roles", "value": ["visitor"]}],
		"identity.proof_invalid": [{"op": "add", "path": "/proof", "value": {"present": true, "valid": false}}],
	}
	wrong := {wanted: got |
		some wanted, patch in cases
		got := identity.objection(json.patch(caller, patch), 2)
		got != wanted
	}

	wrong == {}
	identity.objection(json.remove(caller, ["issuer"]), 2) == "identity.no_subject"
	identity.objection(json.remove(caller, ["roles"]), 2) == "identity.role_missing"
	identity.objection(json.remove(caller, ["proof"]), 2) == "identity.proof_invalid"
}

test_a_scope_that_is_asked_for if {
	identity.objection(caller, 2) == "identity.scope_missing" with data.gateway.identity.scopes as {"2": ["pay"]}
	not identity.objection(object.union(caller, {"scopes": ["pay"]}), 2) with data.gateway.identity.scopes as {"2": ["pay"]}
}

test_the_scopes_of_a_class if {
	identity.needed(2) == ["pay", "read"] with data.gateway.identity.scopes as {"2": ["pay", "read"]}
	not identity.needed(2) with data.gateway.identity.scopes as {"2": "pay"}
	not identity.needed(2) with data.gateway.identity.scopes as {}
}

test_missing_lists_are_nobody if {
	identity.objection(caller, 2) == "identity.role_missing" with data.gateway.identity.roles as {}
	identity.objection(caller, 2) == "identity.scope_missing" with data.gateway.identity.scopes as {}
	identity.objection(caller, 2) == "identity.proof_required" with data.gateway.identity.proof_required as null
}

test_a_proof_that_is_asked_for if {
	bound := object.union(caller, {"proof": {"present": true, "valid": true}})

	identity.objection(caller, 2) == "identity.proof_required" with data.gateway.identity.proof_required as [1, 2]
	identity.objection(caller, 2) == "identity.proof_required" with data.gateway.identity.proof_required as ["1", "2"]
	not identity.objection(caller, 3) with data.gateway.identity.proof_required as [1, 2]
	not identity.objection(bound, 2) with data.gateway.identity.proof_required as [1, 2]
}
