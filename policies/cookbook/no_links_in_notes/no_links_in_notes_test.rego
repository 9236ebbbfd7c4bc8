package gateway.site_test

import data.gateway.site

holds_a_link(arguments) if "site.link_in_note" in site.codes with input as {"arguments": arguments}

test_links_are_found_wherever_notes_are if {
	every text in ["pay at https://evil.example", "HTTPS://EVIL.EXAMPLE", "see www.evil.example", "JavaScript:alert(1)"] {
		holds_a_link({"note": text})
		holds_a_link({"note_to_payer": text})
		holds_a_link({"detail": {"note": text}})
	}
}

test_words_are_no_links if {
	not holds_a_link({"note": "Thank you. See you soon!"})
	not holds_a_link({"note": null, "detail": {"note": 7}})
	not holds_a_link({"returnUrl": "https://shop.example.com"})
}
