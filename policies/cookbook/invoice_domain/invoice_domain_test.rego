package gateway.site_test

import data.gateway.site

strange_recipient(question) if "site.invoice_domain" in site.codes with input as question

an_invoice_to(address) := {
	"tool": {"name": "create_invoice"},
	"arguments": {"primary_recipients": [
		{"billing_info": {"email_address": "first@example.com"}},
		{"billing_info": {"email_address": address}},
	]},
}

a_copy_to(address) := {
	"tool": {"name": "send_invoice"},
	"arguments": {"invoice_id": "INV2-ABCD", "additional_recipients": [address]},
}

test_strangers_get_no_invoice if {
	every address in ["a@evil.example", "a@evilexample.com", "a@evil.example,b@example.com", "@example.com@evil", null, 7] {
		strange_recipient(an_invoice_to(address))
		strange_recipient(a_copy_to(address))
	}
	strange_recipient({"tool": {"name": "create_invoice"}, "arguments": {"primary_recipients": [{}]}})
}

test_customers_do if {
	every address in ["a@example.com", "A@Example.COM", "b@customer.example.net"] {
		not strange_recipient(an_invoice_to(address))
		not strange_recipient(a_copy_to(address))
	}
	not strange_recipient({"tool": {"name": "create_invoice"}, "arguments": {}})
}
