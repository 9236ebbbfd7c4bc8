package gateway.site_test

import data.gateway.example_test
import data.gateway.site

needs_finance(patch) if "site.refund_needs_finance" in site.codes with input as object.union(example_test.refund, patch)

test_a_large_refund_needs_finance if {
	needs_finance({"money": {"amount": "100.01"}})
	needs_finance({"money": {"currency": "JPY"}})
	needs_finance({"money": {"amount": null}})
	needs_finance({"money": null})
	needs_finance({"tool": {"name": "refund_transaction"}, "money": {"amount": "500.00"}})
	needs_finance({"tool": {"name": "accept_dispute_claim"}, "money": {"amount": "500.00"}})
}

test_a_small_refund_does_not if {
	not needs_finance({"money": {"amount": "100.00"}})
	not needs_finance({"tool": {"name": "create_invoice"}, "money": {"amount": "500.00"}})
}

test_finance_may if not needs_finance({"money": {"amount": "500.00"}, "caller": {"roles": ["agent", "finance"]}})
