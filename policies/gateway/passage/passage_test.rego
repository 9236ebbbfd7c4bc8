package gateway.passage_test

import data.gateway.example_test
import data.gateway.passage

read := {
	"call": object.union(example_test.read.call, {"method": "resources/read", "target": "note://one"}),
	"caller": example_test.read.caller,
	"env": example_test.read.env,
}

codes(patch) := got if {
	answer := passage.answer with input as object.union(read, patch)
	got := [answer.outcome, {reason.code | some reason in answer.reasons}]
}

permitted := ["allow", {"passage.permitted"}]

test_what_is_listed_passes if {
	codes({}) == permitted
	codes({"call": {"method": "resources/list", "target": null}}) == permitted
}

test_what_nobody_wrote_about_does_not if {
	codes({"call": {"method": "tasks/get"}}) == ["deny", {"passage.method_refused"}]
	codes({"call": {"method": "tools/call"}}) == ["deny", {"passage.method_refused"}]
}

test_somebody_without_the_role if {
	codes({"caller": {"roles": ["auditor"]}}) == ["deny", {"passage.role_missing"}]
	codes({"caller": {"roles": []}}) == ["deny", {"passage.role_missing"}]
}

test_nobody if {
	codes({"caller": {"subject": ""}}) == ["deny", {"passage.no_subject"}]
	codes({"caller": {"issuer": ""}}) == ["deny", {"passage.no_subject"}]
}

test_a_proof_that_is_there_must_be_right if {
	codes({"caller": {"proof": {"present": true, "valid": true}}}) == permitted
	codes({"caller": {"proof": {"present": true, "valid": false}}}) == ["deny", {"passage.proof_invalid"}]
	codes({"caller": {"proof": {"present": false, "valid": false}}}) == permitted
}

test_a_servers_own_entry_takes_the_place_of_the_general_one if {
	nobody := {"paypal": {"resources/read": []}}
	auditors := {"paypal": {"resources/read": ["auditor"]}}
	elsewhere := {"docs": {"resources/read": []}}
	codes({}) == ["deny", {"passage.role_missing"}] with data.gateway.passage.servers as nobody
	codes({}) == ["deny", {"passage.role_missing"}] with data.gateway.passage.servers as auditors
	codes({}) == permitted with data.gateway.passage.servers as elsewhere
	codes({"caller": {"roles": ["auditor"]}}) == permitted with data.gateway.passage.servers as auditors
}

test_malformed if {
	patches := [
		{"call": {"server": null}},
		{"call": {"method": 7}},
		{"call": {"target": ["note://one"]}},
		{"caller": {"roles": "agent"}},
		{"caller": {"issuer": null}},
		{"caller": {"subject": 7}},
		{"caller": {"proof": {"present": "no"}}},
		{"caller": {"proof": {"valid": null}}},
		{"call": {"id": 7}},
		{"caller": {"scopes": null}},
		{"env": {"paypal": "moon"}},
		{"env": null},
	]
	every patch in patches {
		codes(patch) == ["deny", {"passage.malformed"}]
	}
	passage.answer.outcome == "deny" with input as {}
}

test_missing_data_denies if {
	codes({}) == ["deny", {"passage.method_refused"}] with data.gateway.passage.methods as {}
	codes({}) == ["deny", {"passage.method_refused"}] with data.gateway.passage.methods as {"resources/read": "agent"}
}
