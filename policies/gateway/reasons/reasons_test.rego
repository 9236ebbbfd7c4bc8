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
