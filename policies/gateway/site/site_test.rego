package gateway.site_test

import data.gateway.confirmation
import data.gateway.consent
import data.gateway.decision
import data.gateway.example_test
import data.gateway.site

unusable if "site.unusable" in site.codes

test_what_ships_can_be_used if not unusable

test_reasons_that_are_no_table if {
	every reasons in [null, [], "site.x"] {
		unusable with data.gateway.site.reasons as reasons
	}
}

test_a_number_of_people_that_is_none if {
	unusable with site.quorums as {0, "two"}
	site.quorum == 3 with site.quorums as {0, "two", 3}
}

test_what_ships_asks_for_nobody if site.quorum == 0 with input as {}

test_handshaken if {
	site.handshaken with input as example_test.handshaken
	not site.handshaken with input as example_test.refund
	every age in [null, "5", -1, 901] {
		question := object.union(example_test.refund, {"consent": {"handshake": {"satisfied": true, "age_s": age}}})
		not site.handshaken with input as question
	}
}

test_a_site_denies if {
	reasons := {"site.no": {"outcome": "deny", "message": "m", "remedy": "r"}}
	answer := decision.answer with input as example_test.read
		with site.codes as {"site.no"}
		with data.gateway.site.reasons as reasons

	answer.outcome == "deny"
	answer.reasons[0] == {"code": "site.no", "outcome": "deny", "message": "m", "remedy": "r"}
}

test_a_site_asks_for_the_handshake if {
	reasons := {"site.twice": {"outcome": "handshake", "message": "m", "remedy": "r"}}
	answer := decision.answer with input as example_test.read
		with site.codes as {"site.twice"}
		with data.gateway.site.reasons as reasons

	answer.outcome == "handshake"
	answer.obligations.handshake.ttl_seconds == 30
}

# What a tool of class 3 or 4 takes then is what one of class 2 takes, unless the operator said something for its class.
test_a_site_asks_for_people_where_nobody_was_asked if {
	answer := decision.answer with input as example_test.read with site.codes as set() with site.quorum as 2

	answer.outcome == "confirm"
	answer.obligations.confirm == object.union(data.gateway.consent.confirm["2"], {"quorum": 2})
}

test_the_operators_own_entry_counts if {
	own := object.union(data.gateway.consent.confirm["2"], {"ttl_seconds": 60})
	confirmation.obligation(4).ttl_seconds == 60 with site.quorum as 1
		with input as example_test.read
		with data.gateway.consent.confirm as {"4": own}
}

test_no_entry_to_go_by_denies if {
	consent.codes(4) == {"consent.unconfigured"} with site.quorum as 1
		with input as example_test.read
		with data.gateway.consent.confirm as {"1": data.gateway.consent.confirm["1"]}
}

test_a_site_cannot_ask_for_less if {
	confirmation.obligation(2).quorum == 1 with site.quorum as 0 with input as example_test.refund
}

test_as_many_people_as_it_says if {
	second := object.union(example_test.confirmation, {"who": "ben"})
	one := object.union(example_test.read, {"consent": {"confirmations": [example_test.confirmation]}})
	two := object.union(example_test.read, {"consent": {"confirmations": [example_test.confirmation, second]}})

	consent.codes(4) == {"consent.confirmation_required"} with input as one with site.quorum as 2
	consent.codes(4) == {"consent.given"} with input as two with site.quorum as 2
}
