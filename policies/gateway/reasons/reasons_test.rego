package gateway.reasons_test

import data.gateway.reasons

test_a_code_has_its_text if {
	text := {"outcome": "confirm", "message": "m", "remedy": "r"}
	reason := reasons.of("a.b") with data.gateway.reasons.catalogue as {"a.b": text}

	reason == object.union(text, {"code": "a.b"})
}

test_a_code_without_an_entry_denies if reasons.of("nobody.knows").outcome == "deny"

# The case of aesthetics: "denny" beside an allow was an allow before outcomes were checked.
test_a_misspelt_outcome_denies if {
	catalogue := {
		"a.b": {"outcome": "denny", "message": "m", "remedy": "r"},
		"c.d": {"outcome": "allow", "message": "m", "remedy": "r"},
	}
	said := reasons.behind({"a.b", "c.d"}) with data.gateway.reasons.catalogue as catalogue

	[[reason.code, reason.outcome] | some reason in said] == [["a.b", "deny"], ["c.d", "allow"]]
}

test_an_incomplete_entry_denies if {
	catalogue := {"a.b": {"outcome": "allow", "message": "m"}}
	reason := reasons.of("a.b") with data.gateway.reasons.catalogue as catalogue

	reason.outcome == "deny"
}

site_reason(text) := reason if {
	reason := reasons.of("site.a") with data.gateway.site.reasons as {"site.a": text}
}

test_a_site_has_its_own_texts if {
	every outcome in ["deny", "handshake"] {
		text := {"outcome": outcome, "message": "m", "remedy": "r"}
		site_reason(text) == object.union(text, {"code": "site.a"})
	}
}

test_a_site_says_neither_allow_nor_confirm if {
	every outcome in ["allow", "confirm", "denny"] {
		reason := site_reason({"outcome": outcome, "message": "m", "remedy": "r"})
		reason.outcome == "deny"
		reason.message != "m"
	}
}

test_the_catalogue_wins if {
	strict := {"outcome": "deny", "message": "of the pack", "remedy": "r"}
	mild := {"outcome": "handshake", "message": "of the site", "remedy": "r"}
	reason := reasons.of("site.a") with data.gateway.reasons.catalogue as {"site.a": strict}
		with data.gateway.site.reasons as {"site.a": mild}
	reason.message == "of the pack"

	# Also when its entry is broken: a mistake there must not make the site's milder one count.
	broken := reasons.of("site.a") with data.gateway.reasons.catalogue as {"site.a": {"outcome": "denny"}}
		with data.gateway.site.reasons as {"site.a": mild}
	broken.outcome == "deny"
}

test_the_sites_texts_are_for_its_own_codes if {
	text := {"outcome": "handshake", "message": "m", "remedy": "r"}
	reason := reasons.of("money.a") with data.gateway.site.reasons as {"money.a": text}

	reason.outcome == "deny"
}
