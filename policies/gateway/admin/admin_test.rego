package gateway.admin_test

import data.gateway.admin
import data.gateway.example_test

confirm := {
	"action": "confirm",
	"person": {"issuer": "https://login.example.com", "subject": "ann", "roles": ["approver"], "assurance": "link"},
	"target": {
		"caller": {"issuer": "https://login.example.com", "subject": "agent-7"},
		"tool": "create_refund",
		"server": "paypal",
		"data_class": 2,
		"obligations": {"min_assurance": "link", "separation_of_duties": true},
	},
	"env": example_test.read.env,
}

codes(patch) := got if {
	answer := admin.answer with input as object.union(confirm, patch)
	got := [answer.outcome, {reason.code | some reason in answer.reasons; reason.outcome == answer.outcome}]
}

permitted := ["allow", {"admin.permitted"}]

test_an_approver_confirms if codes({}) == permitted

test_who_may_do_what if {
	allowed := {concat(" ", [role, action]) |
		some role in ["approver", "operator", "auditor", "agent"]
		some action in [
			"confirm", "refuse", "approve_tool", "revoke_tool", "request_tool", "read",
			"kill_list", "kill_add", "kill_lift", "settle_transaction",
		]
		codes({"action": action, "person": {"roles": [role]}}) == permitted
	}

	allowed == {
		"agent request_tool",
		"approver confirm", "approver refuse", "approver read", "approver kill_list", "approver kill_add",
		"operator approve_tool", "operator revoke_tool", "operator request_tool", "operator read",
		"operator kill_list", "operator kill_add", "operator kill_lift", "operator settle_transaction",
		"auditor read", "auditor kill_list",
	}
}

test_nobody_confirms_their_own_call if {
	codes({"person": {"subject": "agent-7"}}) == ["deny", {"admin.self_confirmation"}]
	codes({"person": {"subject": "agent-7", "issuer": "https://elsewhere.example.com"}}) == permitted
	codes({"person": {"subject": "agent-7"}, "target": {"obligations": {"separation_of_duties": false}}}) == permitted
	codes({"action": "refuse", "person": {"subject": "agent-7"}}) == permitted
}

test_a_program_stops_and_does_not_lift if {
	program := {"roles": ["operator"], "assurance": "agent"}
	kill := {"person": program, "target": {"obligations": {"min_assurance": "host"}}}

	codes(object.union(kill, {"action": "kill_add"})) == permitted
	codes(object.union(kill, {"action": "kill_list"})) == permitted
	codes(object.union(kill, {"action": "kill_lift"})) == ["deny", {"admin.assurance_too_low"}]
	codes(object.union(kill, {"action": "settle_transaction"})) == ["deny", {"admin.assurance_too_low"}]
}

test_nobody_settles_their_own_transaction if {
	operator := {"action": "settle_transaction", "person": {"roles": ["operator"]}}

	codes(operator) == permitted
	codes(object.union(operator, {"person": {"subject": "agent-7"}})) == ["deny", {"admin.own_transaction"}]
	"admin.malformed" in codes(object.union(operator, {"target": {"caller": {"subject": null}}}))[1]
}

test_assurance if {
	codes({"person": {"assurance": "host"}}) == ["deny", {"admin.assurance_too_low"}]
	codes({"person": {"assurance": "promise"}}) == ["deny", {"admin.assurance_too_low"}]
	codes({"target": {"obligations": {"min_assurance": "oidc"}}}) == ["deny", {"admin.assurance_too_low"}]
	codes({"target": {"obligations": {"min_assurance": "retina"}}}) == ["deny", {"admin.assurance_too_low"}]
}

test_an_unknown_action if {
	codes({"action": "delete"}) == [
		"deny",
		{"admin.unknown_action", "admin.role_missing", "admin.assurance_too_low"},
	]
}

test_malformed if {
	patches := [
		{"person": {"subject": ""}},
		{"person": {"roles": "approver"}},
		{"target": {"caller": {"subject": null}}},
		{"target": {"obligations": null}},
		{"env": null},
	]
	every patch in patches {
		codes(patch)[0] == "deny"
		"admin.malformed" in codes(patch)[1]
	}
	admin.answer.outcome == "deny" with input as {}
}

test_missing_data_denies if {
	codes({}) == ["deny", {"admin.role_missing"}] with data.gateway.admin.roles as {}
	codes({}) == ["deny", {"admin.assurance_too_low"}] with data.gateway.admin.min_assurance as {}
}

test_other_actions_need_no_obligation if {
	read := {"action": "read", "person": confirm.person, "target": {}, "env": confirm.env}

	admin.answer.outcome == "allow" with input as read
}
