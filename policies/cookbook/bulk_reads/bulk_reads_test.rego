package gateway.site_test

import data.gateway.example_test
import data.gateway.site

reading(code, tool, arguments) if {
	code in site.codes with input as object.union(example_test.read, {"tool": {"name": tool}, "arguments": arguments})
}

test_too_many_rows if {
	every arguments in [{}, {"page_size": 51}, {"page_size": "5"}, {"page_size": 0}] {
		reading("site.bulk_read", "list_transactions", arguments)
	}
	not reading("site.bulk_read", "list_transactions", {"page_size": 50})
	not reading("site.bulk_read", "list_products", {})
}

test_many_rows_are_said_twice if {
	reading("site.large_read", "list_invoices", {"page_size": 21})
	not reading("site.large_read", "list_invoices", {"page_size": 20})
	not reading("site.large_read", "list_invoices", {"page_size": 51})
	question := object.union(example_test.handshaken, {
		"tool": {"name": "list_invoices"},
		"arguments": {"page_size": 21},
	})
	not "site.large_read" in site.codes with input as question
}
