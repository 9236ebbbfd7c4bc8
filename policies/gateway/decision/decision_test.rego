package gateway.decision_test

import data.gateway.decision
import data.gateway.example_test
import data.gateway.reasons

# A site's own rules are not what is tested here: these tests hold wherever they run.
answer(question) := got if {
	got := decision.answer with input as question with data.gateway.site.codes as set() with data.gateway.site.quorum as 0
}

test_a_read if {
	answer(example_test.read) == {
		"outcome": "allow",
		"reasons": [reasons.of("consent.not_required")],
		"data_class": 4,
		"tier": "internal",
		"phase": "enforcement",
		"would_be": null,
		"obligations": {},
	}
}

test_a_refund_step_by_step if {
	confirm := data.gateway.consent.confirm["2"]
	steps := [[got.outcome, got.obligations] |
		some question in [example_test.refund, example_test.handshaken, example_test.confirmed]
		got := answer(question)
	]

	steps == [
		["handshake", {"handshake": {"ttl_seconds": 30}, "confirm": confirm}],
		["confirm", {"confirm": confirm}],
		["allow", {"duplicates": data.gateway.transactions.windows["2"], "receipt": true}],
	]
}

test_nobody_is_asked_for_what_an_equal_call_answers if {
	windows := {"2": {"window_seconds": 600, "answers": "all"}}
	got := answer(example_test.handshaken) with data.gateway.transactions.windows as windows

	got.outcome == "confirm"
	got.obligations.duplicates == windows["2"]
}

test_a_tool_that_may_be_replayed if {
	got := answer(example_test.confirmed) with data.gateway.transactions.replayable as {"create_refund": 60}

	got.obligations.replay == {"within_seconds": 60}
}

test_a_budget_that_concerns_the_call if {
	budget := {"caller": "any", "tool": "any", "payee": "any", "window_seconds": 60, "limits": {"USD": "1.00"}}
	counted := object.union(example_test.confirmed, {"usage": {"payees": [], "budgets": {}}})
	got := answer(counted) with data.gateway.budgets.budgets as {"all": budget}

	got.outcome == "deny"
	[reason.code | some reason in got.reasons][0] == "budget.not_counted"
	got.obligations.limits == [{"budget": "all", "per": [], "currency": "USD", "limit": "1.00", "window_seconds": 60}]
}

test_nothing_asked if {
	answer({}) == {
		"outcome": "deny",
		"reasons": [reasons.of("request.malformed")],
		"data_class": null,
		"tier": null,
		"phase": null,
		"would_be": null,
		"obligations": {},
	}
}

test_a_missing_scope_names_all_that_are_needed if {
	holder := object.union(example_test.read, {"caller": {"scopes": ["read"]}})
	got := answer(holder) with data.gateway.identity.scopes as {"4": ["read", "pay"]}

	got.outcome == "deny"
	got.obligations == {"scopes": ["read", "pay"]}
}

test_a_list_of_scopes_that_is_missing_asks_for_none if {
	got := answer(example_test.read) with data.gateway.identity.scopes as {}

	got.outcome == "deny"
	got.obligations == {}
}

test_a_scope_that_is_there_is_not_asked_for if {
	holder := object.union(example_test.read, {"caller": {"scopes": ["read"]}})
	got := answer(holder) with data.gateway.identity.scopes as {"4": ["read"]}

	got.obligations == {}
}

test_personal_data_is_masked if {
	order := object.union(example_test.read, {"tool": {"name": "get_order"}})

	answer(order).obligations == {"redact": data.gateway.redaction.tools.get_order}
}

test_a_phase_softens_and_says_so if {
	foreign := example_test.patched(example_test.read, "/tool/etdi", {"status": "unverified", "evidence": null})
	got := answer(foreign) with data.gateway.migration.phase as "coexistence"

	got.outcome == "allow"
	got.would_be == "deny"
	got.phase == "coexistence"
	got.obligations.warn == [concat(": ", ["catalog.unverified", reasons.of("catalog.unverified").message])]
}

test_a_softened_refund_still_wants_its_consent if {
	foreign := example_test.patched(example_test.refund, "/tool/etdi", {"status": "unverified", "evidence": null})
	got := answer(foreign) with data.gateway.migration.phase as "preparation"

	[got.outcome, got.would_be] == ["handshake", "deny"]
}

test_all_reasons_are_given_the_strictest_first if {
	wrong := object.union(example_test.refund, {"schema": {"valid": false}, "money": {"amount": null}})
	got := answer(wrong)

	[reason.code | some reason in got.reasons] == [
		"arguments.schema_invalid",
		"money.amount_unknown",
		"consent.handshake_required",
		"consent.confirmation_required",
	]
	got.outcome == "deny"
}

foreign := object.union(example_test.read, {"tool": {"etdi": {"status": "unverified", "evidence": null}}})

test_what_was_softened_is_said_to_the_audit if {
	loud := answer(foreign) with data.gateway.migration.phase as "coexistence"
	loud.obligations.softened == ["catalog.unverified"]
	count(loud.obligations.warn) == 1
	quiet := answer(foreign) with data.gateway.migration.phase as "coexistence"
		with data.gateway.migration.coexistence as {"warning_for_non_etdi": false}
	quiet.obligations.softened == ["catalog.unverified"]
	quiet.would_be == "deny"
	not quiet.obligations.warn
}

test_an_exemption_is_named if {
	exemption := {"server": "paypal", "tool": "list_products", "expires": example_test.now + 1}
	got := answer(foreign) with data.gateway.migration.exemptions as [exemption]
	got.obligations.softened == ["catalog.unverified", "exempt"]
}

test_what_is_not_rolled_out_is_refused if {
	got := answer(example_test.refund) with data.gateway.migration.priority as 2
	got.outcome == "deny"
	"migration.not_rolled_out" in {reason.code | some reason in got.reasons}
}
