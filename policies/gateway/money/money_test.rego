package gateway.money_test

import data.gateway.example_test
import data.gateway.money

objection(patch) := code if {
	code := money.objection with input as object.union(example_test.refund, {"money": patch})
}

test_fine if {
	not objection({})
	not objection({"amount": "10000.00"})
	not objection({"source": "lookup"})
	not money.objection with input as example_test.read
}

test_unknown if {
	objection({"amount": null}) == "money.amount_unknown"
	objection({"source": "unknown"}) == "money.amount_unknown"
	money.objection == "money.amount_unknown" with input as example_test.patched(example_test.refund, "/money", null)
	money.objection == "money.amount_unknown" with input as example_test.read
		with data.gateway.limits.amount_required as null
}

test_a_tool_of_one_server if {
	money.objection == "money.amount_unknown" with input as example_test.read
		with data.gateway.limits.amount_required as ["paypal/list_products"]
	not money.objection with input as example_test.read
		with data.gateway.limits.amount_required as ["depot/list_products"]
}

test_invalid if {
	every amount in ["-5.00", "1e3", "5.001", "five", ""] {
		objection({"amount": amount}) == "money.amount_invalid"
	}
}

test_currency if {
	every currency in ["XXX", "usd", "", null] {
		objection({"currency": currency}) == "money.currency_not_allowed"
	}
}

test_over_the_limit if {
	objection({"amount": "10000.01"}) == "money.over_limit"
	objection({"amount": "1500001", "currency": "JPY"}) == "money.over_limit"
}

test_quorum if {
	amounts := ["499.99", "500.00", "500.01"]
	quorums := [quorum |
		some amount in amounts
		quorum := money.quorum with input as object.union(example_test.refund, {"money": {"amount": amount}})
	]

	quorums == [1, 1, 2]
	money.quorum == 1 with input as example_test.read
}
