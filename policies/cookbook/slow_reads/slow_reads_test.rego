package gateway.site_test

import data.gateway.example_test
import data.gateway.site

reading_again(code, tool, hour) if {
	question := object.union(example_test.read, {"tool": {"name": tool}, "usage": {"calls": {"hour": hour}}})
	code in site.codes with input as question
}

test_too_often if {
	every hour in [60, 61, null, "1"] {
		reading_again("site.read_too_often", "list_transactions", hour)
	}
	not reading_again("site.read_too_often", "list_transactions", 59)
	not reading_again("site.read_too_often", "list_products", 60)
}

test_reading_on_is_said_twice if {
	reading_again("site.read_again", "list_invoices", 20)
	not reading_again("site.read_again", "list_invoices", 19)
	not reading_again("site.read_again", "list_invoices", 60)
	question := object.union(example_test.handshaken, {
		"tool": {"name": "list_invoices"},
		"usage": {"calls": {"hour": 20}},
	})
	not "site.read_again" in site.codes with input as question
}
