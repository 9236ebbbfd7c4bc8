package gateway.budgets_test

import data.gateway.budgets
import data.gateway.example_test

entry := {"caller": "each", "tool": "any", "payee": "any", "window_seconds": 86400, "limits": {"USD": "100.00"}}

with_payee(payee) := object.union(example_test.refund, {
	"money": {"payee": payee},
	"usage": {"payees": [payee], "budgets": null},
})

concerned(question, changes) if {
	budgets.concerned == {"one"} with input as question
		with data.gateway.budgets.budgets as {"one": object.union(entry, changes)}
}

test_as_shipped_nothing_is_concerned if {
	count(budgets.concerned) == 0 with input as example_test.refund
	count(budgets.limits) == 0 with input as example_test.refund
	not budgets.objection with input as example_test.refund
}

test_callers if {
	wanted := [name |
		some name in ["any", "each", ["agent-7"], ["agent-8", "agent-7"], ["agent-8"], ["AGENT-7"]]
		concerned(example_test.refund, {"caller": name})
	]

	wanted == ["any", "each", ["agent-7"], ["agent-8", "agent-7"]]
}

test_tools if {
	wanted := [name |
		some name in ["any", "each", ["create_refund"], ["paypal/create_refund"], ["other/create_refund"], ["pay_order"]]
		concerned(example_test.refund, {"tool": name})
	]

	wanted == ["any", "each", ["create_refund"], ["paypal/create_refund"]]
}

test_a_tool_whose_money_nobody_knows_is_concerned_when_it_is_named if {
	wanted := [name |
		some name in ["any", "each", ["list_products"]]
		concerned(example_test.read, {"tool": name})
	]

	wanted == [["list_products"]]
}

test_payees if {
	wanted := [name |
		some name in ["any", "each", ["shop@example.com"], ["Shop@Example.com"], ["other@example.com"]]
		concerned(with_payee("shop@example.com"), {"payee": name})
	]

	wanted == ["any", "each", ["shop@example.com"], ["Shop@Example.com"]]
}

test_an_unknown_payee_may_be_any_of_them if {
	concerned(example_test.refund, {"payee": ["other@example.com"]})
}

test_limits if {
	limits := budgets.limits with input as example_test.refund
		with data.gateway.budgets.budgets as {
			"a": object.union(entry, {"payee": "each", "tool": "each"}),
			"b": object.union(entry, {"caller": "any"}),
			"c": example_test.patched(entry, "/limits", {"EUR": "1.00"}),
		}

	limits == [
		{
			"budget": "a", "per": ["caller", "tool", "payee"],
			"currency": "USD", "limit": "100.00", "window_seconds": 86400,
		},
		{"budget": "b", "per": [], "currency": "USD", "limit": "100.00", "window_seconds": 86400},
	]
}

test_by_payee if {
	by := budgets.by_payee with input as example_test.refund
		with data.gateway.budgets.budgets as {
			"a": entry,
			"b": object.union(entry, {"payee": "each"}),
			"c": object.union(entry, {"payee": ["x"]}),
			"d": object.union(entry, {"payee": ["x"], "tool": ["pay_order"]}),
		}

	by == {"b", "c"}
}

test_entries_that_are_none if {
	broken := {name |
		some name, changes in {
			"a window of text": {"window_seconds": "86400"},
			"no window at all": {"window_seconds": 0},
			"a window for ever": {"window_seconds": 99999999},
			"a limit that is a number": {"limits": {"USD": 100}},
			"a limit below nothing": {"limits": {"USD": "-1.00"}},
			"an exponent": {"limits": {"USD": "1e3"}},
			"limits of text": {"limits": "USD"},
			"nobody": {"caller": []},
			"a number for a caller": {"caller": [7]},
			"some tool": {"tool": "create_refund"},
			"no payee": {"payee": null},
			"a payee with a blank": {"payee": ["shop@example.com", "shop @example.com"]},
			"a payee with a letter that is folded away": {"payee": ["stra\u00dfe@example.com"]},
			"a payee of full width": {"payee": ["\uff53hop@example.com"]},
			"a payee with a new line": {"payee": ["shop@example.com\n"]},
			"a payee of nothing": {"payee": [""]},
			"one payee as text": {"payee": "shop@example.com"},
			"right": {},
			"right for each payee": {"payee": "each"},
			"right with lists": {"caller": ["a"], "tool": ["b", "c"], "payee": ["d"]},
		}
		budgets.objection == "budgets.unconfigured" with input as example_test.refund
			with data.gateway.budgets.budgets as {"one": object.union(entry, changes), "two": entry}
	}

	count(broken) == 17
	every name in ["right", "right for each payee", "right with lists"] { not name in broken }
}

test_a_named_tool_is_denied_when_its_entry_cannot_be_read if {
	named := object.union(entry, {"tool": ["list_products"], "caller": "agent-7"})
	budgets.objection == "budgets.unconfigured" with input as example_test.read
		with data.gateway.budgets.budgets as {"one": named}
	not budgets.objection with input as example_test.read
		with data.gateway.budgets.budgets as {"one": object.union(named, {"tool": ["get_order"]})}
}

test_no_limits if {
	nothing := json.remove(entry, ["/limits/USD"])
	budgets.objection == "budgets.unconfigured" with input as example_test.refund
		with data.gateway.budgets.budgets as {"one": nothing}
}

test_a_missing_file_denies_what_moves_money if {
	budgets.objection == "budgets.unconfigured" with input as example_test.refund with data.gateway.budgets.budgets as null
	not budgets.objection with input as example_test.read with data.gateway.budgets.budgets as null
}

test_a_question_that_knows_no_payees if {
	budgets.payees == [] with input as object.remove(example_test.refund, ["usage"])
}
