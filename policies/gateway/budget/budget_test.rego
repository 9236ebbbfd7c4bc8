package gateway.budget_test

import data.gateway.budget
import data.gateway.example_test

entry := {"caller": "each", "tool": "any", "payee": "any", "window_seconds": 86400, "limits": {"USD": "100.00"}}

objection(question, changes) := code if {
	code := budget.objection with input as question
		with data.gateway.budgets.budgets as {"one": object.union(entry, changes)}
}

used(sums) := object.union(example_test.refund, {"usage": {
	"payees": [],
	"budgets": {"one": object.union({"limit": 10000, "spent": 0, "reserved": 0, "amount": 2500}, sums)},
}})

test_before_it_is_counted if {
	not objection(example_test.refund, {})
	not objection(object.union(example_test.refund, {"usage": {"payees": [], "budgets": null}}), {})
	not objection(example_test.read, {})
}

test_what_fits if {
	not objection(used({}), {})
	not objection(used({"spent": 7500}), {})
	not objection(used({"spent": 5000, "reserved": 2500}), {})
}

test_exceeded if {
	every sums in [{"spent": 7501}, {"reserved": 7501}, {"spent": 5000, "reserved": 2501}, {"amount": 10001}] {
		objection(used(sums), {}) == "budget.exceeded"
	}
}

test_not_counted if {
	objection(object.union(example_test.refund, {"usage": {"payees": [], "budgets": {}}}), {}) == "budget.not_counted"
	every name in ["limit", "spent", "reserved", "amount"] {
		objection(used({name: "1"}), {}) == "budget.not_counted"
	}
}

test_amount_unknown if {
	objection(object.union(example_test.refund, {"money": {"amount": null}}), {}) == "budget.amount_unknown"
	objection(object.union(example_test.refund, {"money": {"currency": null}}), {}) == "budget.amount_unknown"
	objection(object.union(example_test.refund, {"money": {"source": "unknown"}}), {}) == "budget.amount_unknown"
	objection(example_test.read, {"tool": ["list_products"]}) == "budget.amount_unknown"
}

test_payee_unknown if {
	objection(example_test.refund, {"payee": "each"}) == "budget.payee_unknown"
	objection(example_test.refund, {"payee": ["a"]}) == "budget.payee_unknown"
	not objection(object.union(example_test.refund, {"usage": {"payees": ["a"], "budgets": null}}), {"payee": "each"})
}

test_currency if {
	objection(object.union(example_test.refund, {"money": {"currency": "EUR"}}), {}) == "budget.currency_not_limited"
}
