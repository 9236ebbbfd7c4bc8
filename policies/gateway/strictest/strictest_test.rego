package gateway.strictest_test

import data.gateway.strictest

test_nothing_said_is_deny if strictest.of([]) == "deny"

test_the_first_of_sorted_reasons_decides if {
	cases := {
		"deny": ["allow", "confirm", "handshake", "deny"],
		"handshake": ["allow", "confirm", "handshake"],
		"confirm": ["allow", "confirm"],
		"allow": ["allow"],
	}
	wrong := {wanted: got |
		some wanted, said in cases
		got := strictest.of(strictest.sorted([{"outcome": outcome} | some outcome in said]))
		got != wanted
	}
	wrong == {}
}
