package gateway.arguments_test

import data.gateway.arguments
import data.gateway.example_test
import data.gateway.reasons

test_fine if arguments.codes == set() with input as example_test.refund

test_the_schema_says_no if {
	invalid := example_test.patched(example_test.read, "/schema/valid", false)

	arguments.codes == {"arguments.schema_invalid"} with input as invalid
}

test_identifiers if {
	unsafe := [value |
		some value in [
			"5O190127TN364715T", "PP-D-12345", 7,
			"../../../v2/payments/captures/X/refund?x=", "a/b", "a%2fb", "a?b", "a#b", "a&b", "a b", "a\n", "", null, ["a"],
		]
		arguments.codes == {"arguments.unsafe_identifier"} with input as example_test.patched(
			example_test.read,
			"/arguments", {"dispute_id": value},
		)
	]

	count(unsafe) == 11
}

test_other_arguments_may_hold_anything if {
	arguments.codes == set() with input as example_test.patched(
		example_test.read,
		"/arguments", {"note": "see a/b?"},
	)
}

test_without_the_list_nothing_is_safe if {
	arguments.codes == {"arguments.unsafe_identifier"} with input as example_test.refund
		with data.gateway.arguments.identifiers as null
}

call(name, given) := object.union(example_test.read, {"tool": {"name": name}, "arguments": given})

invoice(address) := call("create_invoice", {
	"detail": {"currency_code": "USD"},
	"primary_recipients": [
		{"billing_info": {"email_address": "ann@example.com"}},
		{"billing_info": {"email_address": address}},
		{"billing_info": {}},
	],
})

rest := example_test.patched(example_test.read, "/call/era", "rest")

with_proof(question, valid) := example_test.patched(question, "/call/proof", {"present": true, "valid": valid})

test_no_signature_is_asked_of_mcp_hosts if arguments.codes == set() with input as example_test.read

test_an_internal_tool_over_rest_wants_a_signature if {
	arguments.codes == {"arguments.signature_missing"} with input as rest
	arguments.codes == set() with input as with_proof(rest, true)
	arguments.codes == {"arguments.signature_invalid"} with input as with_proof(rest, false)
	arguments.codes == {"arguments.signature_invalid"} with input as with_proof(example_test.read, false)
	arguments.codes == set() with input as example_test.patched(rest, "/consent/handshake/satisfied", true)
	arguments.codes == set() with input as example_test.patched(example_test.refund, "/call/era", "rest")
}

test_an_unknown_era_or_list_wants_a_signature if {
	arguments.codes == {"arguments.signature_missing"} with input as example_test.patched(rest, "/call/era", "other")
	arguments.codes == {"arguments.signature_missing"} with input as example_test.read with data.gateway.arguments.signed as {}
	arguments.codes == {"arguments.signature_missing"} with input as example_test.read
		with data.gateway.arguments.signed.modern as ["4"]
}

test_patterns if {
	arguments.codes == set() with input as invoice("bob+x@example.co.uk")
	bad := {address |
		some address in ["bob", "bob@", "a@b@c", "bob@example.com\n", "x\nbob@example.com", "bob@exa mple.com", 7]
		arguments.codes == {"arguments.pattern_mismatch"} with input as invoice(address)
	}
	count(bad) == 7
}

test_urls if {
	bad := {url |
		some url in [
			"http://a.example", "https://a.example@b.example/", "javascript:alert(1)",
			"https:///x", "https://a.example\\@b/",
		]
		arguments.codes == {"arguments.pattern_mismatch"} with input as call("create_order", {"returnUrl": url})
	}
	count(bad) == 5
	good := {"returnUrl": "https://shop.example:8443/done?x=1#y", "cancelUrl": null}
	arguments.codes == set() with input as call("create_order", good)
}

test_values_and_lengths if {
	rules := {"create_order": {"/a": {"values": ["x", "yy"]}, "/b": {"pattern": "^[0-9]*$", "max_length": 2}}}
	arguments.codes == set() with input as call("create_order", {"a": "x", "b": "12"})
		with data.gateway.arguments.rules as rules
	every given in [{"a": "z"}, {"b": "123"}] {
		arguments.codes == {"arguments.pattern_mismatch"} with input as call("create_order", given)
			with data.gateway.arguments.rules as rules
	}
}

test_structure if {
	shape := {"create_order": {"keys": ["a", "b"], "forbidden": ["/b/secret"], "max_items": {"/a": 1}, "depth": 3}}
	arguments.codes == set() with input as call("create_order", {"a": [1], "b": {"x": 1}})
		with data.gateway.arguments.structure as shape
	every given in [{"c": 1}, {"b": {"secret": 1}}, {"a": [1, 2]}, {"b": {"c": {"d": {"e": 1}}}}] {
		arguments.codes == {"arguments.structure_invalid"} with input as call("create_order", given)
			with data.gateway.arguments.structure as shape
	}
}

test_a_server_of_its_own if {
	own := {"depot": {"create_invoice": 3}}
	elsewhere := example_test.patched(invoice("bob"), "/call/server", "depot")
	arguments.codes == set() with input as elsewhere with data.gateway.classes.servers as own
	arguments.codes == {"arguments.pattern_mismatch"} with input as elsewhere
		with data.gateway.classes.servers as own
		with data.gateway.arguments.rules as {"depot/create_invoice": {"/detail/currency_code": {"pattern": "^EUR$"}}}
}

test_rules_that_cannot_be_used if {
	every pattern in ["a", "^a", "a$", `^a\$`, "^a|b$", "^(?i)a$"] {
		"arguments.rules_unusable" in arguments.codes with input as example_test.refund
			with data.gateway.arguments.rules as {"create_refund": {"/capture_id": {"pattern": pattern}}}
	}
	"arguments.rules_unusable" in arguments.codes with input as example_test.read
		with data.gateway.arguments.rules as null
	"arguments.rules_unusable" in arguments.codes with input as example_test.read
		with data.gateway.arguments.structure as null
}

test_the_words_of_the_guide if {
	reasons.of("arguments.signature_invalid").message == "Invalid signature"
	reasons.of("arguments.pattern_mismatch").message == "Parameters failed regex validation"
	reasons.of("arguments.structure_invalid").message == "Invalid parameter structure"
}

test_structure_in_lists if {
	shape := {"create_order": {"forbidden": ["/items/*/secret"], "max_items": {"/items/*/tags": 1}}}
	fine := {"items": [{"name": "a", "tags": ["x"]}, {"tags": []}]}
	arguments.codes == set() with input as call("create_order", fine) with data.gateway.arguments.structure as shape
	every given in [{"items": [{}, {"secret": 1}]}, {"items": [{"tags": ["x"]}, {"tags": ["x", "y"]}]}] {
		arguments.codes == {"arguments.structure_invalid"} with input as call("create_order", given)
			with data.gateway.arguments.structure as shape
	}
}

test_depths if {
	seven := {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}
	every most in [6, 5] {
		arguments.codes == {"arguments.structure_invalid"} with input as call("create_order", seven)
			with data.gateway.arguments.structure as {"create_order": {"depth": most}}
	}
	every most in [7, 8] {
		arguments.codes == set() with input as call("create_order", seven)
			with data.gateway.arguments.structure as {"create_order": {"depth": most}}
	}
	arguments.codes == set() with input as call("create_order", seven.a)
		with data.gateway.arguments.structure as {"create_order": {"depth": 6}}
}

test_several_patterns if {
	good := {"/a": {"pattern": "^a$"}, "/b": {"pattern": "^[$ &]{0,9}$"}, "/c": {"values": ["c"]}}
	arguments.codes == set() with input as call("create_order", {"a": "a", "b": "$ &", "c": "c"})
		with data.gateway.arguments.rules as {"create_order": good}
	every bad in ["b$", "^b", "^b$ & ^c$", `^b\$`, "^(b|c)$"] {
		"arguments.rules_unusable" in arguments.codes with input as call("create_order", {})
			with data.gateway.arguments.rules as {"create_order": object.union(good, {"/b": {"pattern": bad}})}
	}
}
