package gateway.site_test

import data.gateway.site

holds_an_address(arguments) if "site.address_in_text" in site.codes with input as {"arguments": arguments}

test_addresses_are_found if {
	holds_an_address({"note": "pay to a@evil.example"})
	holds_an_address({"detail": {"note": "a@evil.example"}})
	holds_an_address({"items": [{"name": "desk"}, {"name": "desk", "description": "ask a@evil.example"}]})
}

test_addresses_have_their_own_places if {
	not holds_an_address({"primary_recipients": [{"billing_info": {"email_address": "a@example.com"}}]})
	not holds_an_address({"note": "Thank you", "items": [{"name": "desk"}]})
	not holds_an_address({"items": [{"name": 7}], "note": null})
}
