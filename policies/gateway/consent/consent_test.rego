package gateway.consent_test

import data.gateway.consent
import data.gateway.example_test

test_before_the_handshake if {
	said := {class: codes |
		some class in [1, 2, 3, 4, 5]
		codes := consent.codes(class) with input as example_test.refund
	}

	said == {
		1: {"consent.handshake_required", "consent.confirmation_required"},
		2: {"consent.handshake_required", "consent.confirmation_required"},
		3: {"consent.handshake_required"},
		4: {"consent.not_required"},
		5: {"consent.not_required"},
	}
}

test_after_the_handshake if {
	consent.codes(2) == {"consent.confirmation_required"} with input as example_test.handshaken
	consent.codes(3) == {"consent.given"} with input as example_test.handshaken
}

test_after_the_confirmation if {
	consent.codes(1) == {"consent.given"} with input as example_test.confirmed
	consent.codes(2) == {"consent.given"} with input as example_test.confirmed
}

test_a_confirmation_does_not_replace_the_handshake if {
	unshaken := example_test.patched(example_test.confirmed, "/consent/handshake/satisfied", false)

	consent.codes(2) == {"consent.handshake_required"} with input as unshaken
}

test_a_stale_or_ageless_handshake_does_not_count if {
	every age in [901, -1, null, "5"] {
		consent.codes(3) == {"consent.handshake_required"} with input as example_test.patched(
			example_test.handshaken,
			"/consent/handshake/age_s", age,
		)
	}
}

test_a_listing_has_no_consent if {
	consent.codes(3) == {"consent.handshake_required"} with input as {"env": example_test.read.env}
}

test_an_entry_for_another_class_asks_for_confirmation if {
	rule := data.gateway.consent.confirm["2"]

	consent.codes(3) == {"consent.confirmation_required"} with input as example_test.handshaken
		with data.gateway.consent.confirm as {"1": rule, "2": rule, "3": rule}
	consent.codes(4) == {"consent.confirmation_required"} with input as example_test.read
		with data.gateway.consent.confirm as {"1": rule, "2": rule, "4": rule}
}

test_unconfigured if {
	every times in [
		{},
		{"ttl_seconds": 30},
		{"ttl_seconds": 61, "max_age_seconds": 900},
		{"ttl_seconds": 0, "max_age_seconds": 900},
		{"ttl_seconds": 30, "max_age_seconds": 10},
	] {
		consent.codes(3) == {"consent.unconfigured"} with input as example_test.handshaken
			with data.gateway.consent.handshake as times
	}
	consent.codes(2) == {"consent.unconfigured"} with input as example_test.confirmed
		with data.gateway.consent.confirm as {}
}

test_an_internal_tool_over_rest_has_two_phases if {
	began := example_test.patched(example_test.read, "/call/era", "rest")
	consent.codes(4) == {"consent.handshake_required"} with input as began
	consent.codes(5) == {"consent.not_required"} with input as began
	ended := object.union(began, {"consent": {"handshake": {"satisfied": true, "age_s": 1}}})
	consent.codes(4) == {"consent.given"} with input as ended
}
