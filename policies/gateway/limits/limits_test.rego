package gateway.limits_test

import data.gateway.example_test
import data.gateway.limits

test_the_limits_of_a_currency if {
	limits.of("USD") == {"soft": 500, "hard": 10000}
	not limits.of("XXX")
}

test_limits_that_are_no_limits if {
	usable := {name |
		some name, entry in {
			"no soft": {"hard": "1"},
			"no hard": {"soft": "1"},
			"a number": {"soft": 1, "hard": 2},
			"negative": {"soft": "-1", "hard": "2"},
			"soft above hard": {"soft": "3", "hard": "2"},
			"right": {"soft": "1", "hard": "2"},
		}
		limits.of("USD") with data.gateway.limits.currencies as {"USD": entry}
	}

	usable == {"right"}
}

test_decimals if {
	texts := [
		"0", "0.1", "12.00", "999999999.99",
		"1e3", "1.234", "-1", "+1", " 1", "1.", ".5", "01", "1234567890", "", "1,5", 5, null,
	]
	accepted := [text | some text in texts; limits.decimal(text) >= 0]

	accepted == ["0", "0.1", "12.00", "999999999.99"]
}

test_nothing_to_object_to if {
	every question in [example_test.read, example_test.refund] {
		not limits.objection with input as question
	}
	not limits.objection with input as example_test.patched(example_test.refund, "/money/currency", "XXX")
	not limits.objection with input as {}
}

test_missing_numbers_deny if {
	limits.objection with input as example_test.read with data.gateway.limits.soft_quorum as null
	limits.objection with input as example_test.read with data.gateway.limits.soft_quorum as 0
	limits.objection with input as example_test.read with data.gateway.limits.currencies as null
	limits.objection with input as example_test.read with data.gateway.limits.amount_required as null
	limits.objection with input as example_test.refund with data.gateway.limits.currencies as {"USD": {"soft": "1"}}
}
