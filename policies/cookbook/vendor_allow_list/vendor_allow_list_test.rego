package gateway.site_test

import data.gateway.site

unknown_vendor(tool, money) if {
	"site.vendor_unknown" in site.codes with input as {"tool": {"name": tool}, "money": money}
}

test_strangers_are_not_paid if {
	every money in [{"payee": "evil@example.org"}, {"payee": null}, {"payee": null, "payees": ["VENDOR7EXAMPLE", "X"]}, null] {
		unknown_vendor("send_money", money)
	}
}

test_vendors_are if {
	not unknown_vendor("send_money", {"payee": "VENDOR7EXAMPLE"})
	not unknown_vendor("pay_order", {"payee": "billing@vendor.example.com"})
}

test_a_refund_is_no_payment if not unknown_vendor("create_refund", {"payee": null})
