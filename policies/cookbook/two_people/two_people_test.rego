package gateway.site_test

import data.gateway.consent
import data.gateway.example_test
import data.gateway.site

takes_two(money) if site.quorum >= 2 with input as {"money": money}

test_large_amounts_take_two if {
	takes_two({"amount": "5000.01", "currency": "USD"})
	takes_two({"amount": "1.00", "currency": "CHF"})
	takes_two({"amount": null, "currency": "USD"})
}

test_small_ones_do_not if {
	not takes_two({"amount": "5000.00", "currency": "USD"})
	not takes_two({"amount": "750000", "currency": "JPY"})
	not takes_two(null)
}

test_an_invoice_waits_for_both if {
	money := {"money": {"amount": "6000.00", "currency": "USD", "payee": null, "source": "arguments"}}
	invoice := object.union_n([example_test.confirmed, {"tool": {"name": "create_invoice"}}, money])
	second := object.union(example_test.confirmation, {"who": "ben"})
	both := object.union(invoice, {"consent": {"confirmations": [example_test.confirmation, second]}})

	consent.codes(3) == {"consent.confirmation_required"} with input as invoice
	consent.codes(3) == {"consent.given"} with input as both
}
