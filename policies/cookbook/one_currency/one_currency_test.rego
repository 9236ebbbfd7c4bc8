package gateway.site_test

import data.gateway.site

another_currency(question) if "site.other_currency" in site.codes with input as question

a_plan_in(currency) := {"money": null, "arguments": {"billing_cycles": [
	{"pricing_scheme": {"fixed_price": {"value": "1.00", "currency_code": "USD"}}},
	{"pricing_scheme": {"fixed_price": {"value": "1.00", "currency_code": currency}}},
]}}

test_other_currencies if {
	every currency in ["EUR", "usd", null] {
		another_currency({"money": {"currency": currency}})
	}
	another_currency(a_plan_in("EUR"))
}

test_our_currency if {
	not another_currency({"money": {"currency": "USD"}})
	not another_currency({"money": null, "arguments": {}})
	not another_currency(a_plan_in("USD"))
}
