package gateway.request_test

import data.gateway.example_test
import data.gateway.request

test_the_examples_are_well_formed if {
	every question in [example_test.read, example_test.refund, example_test.handshaken, example_test.confirmed] {
		request.well_formed with input as question
	}
}

test_a_call_without_an_approval_is_well_formed if {
	request.well_formed with input as example_test.patched(example_test.read, "/approval", null)
}

test_each_missing_place_is_malformed if {
	paths := [
		"/call", "/call/id", "/call/server",
		"/caller", "/caller/issuer", "/caller/subject", "/caller/scopes", "/caller/roles", "/caller/proof",
		"/caller/proof/present", "/caller/proof/valid",
		"/tool", "/tool/name", "/tool/version", "/tool/provider", "/tool/definition_hash", "/tool/permissions",
		"/tool/etdi", "/tool/etdi/status", "/tool/etdi/evidence",
		"/approval", "/approval/version", "/approval/provider", "/approval/definition_hash", "/approval/requested",
		"/approval/approved", "/approval/expires", "/approval/revoked",
		"/arguments", "/arguments_hash", "/schema", "/schema/valid",
		"/money", "/money/amount", "/money/currency", "/money/source",
		"/consent", "/consent/handshake", "/consent/handshake/satisfied", "/consent/confirmations",
		"/env", "/env/paypal", "/env/state", "/env/now",
	]
	accepted := [path |
		some path in paths
		question := example_test.without(example_test.refund, path)
		request.well_formed with input as question
	]

	accepted == []
}

test_each_wrong_type_is_malformed if {
	wrong := {
		"/call/server": 1,
		"/caller/subject": null,
		"/caller/roles": "agent",
		"/caller/proof/valid": "true",
		"/tool/name": null,
		"/tool/version": 1,
		"/tool/definition_hash": "",
		"/tool/etdi/status": "fine",
		"/tool/etdi/evidence": "rumour",
		"/approval/revoked": "false",
		"/approval/expires": "never",
		"/approval": false,
		"/arguments": [],
		"/schema/valid": 1,
		"/money/amount": 25,
		"/money/source": "caller",
		"/money": false,
		"/consent/handshake/satisfied": "yes",
		"/consent/confirmations": {},
		"/env/now": "2026-11-21",
		"/env/paypal": "Production",
		"/env/state": "",
	}
	accepted := [path |
		some path, value in wrong
		question := example_test.patched(example_test.refund, path, value)
		request.well_formed with input as question
	]

	accepted == []
}
