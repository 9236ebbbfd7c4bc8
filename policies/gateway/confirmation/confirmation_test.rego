package gateway.confirmation_test

import data.gateway.confirmation
import data.gateway.example_test

test_needed if {
	{class | some class in [1, 2, 3, 4, 5]; confirmation.needed(class)} == {1, 2} with input as example_test.read
	confirmation.needed(3) with input as example_test.read with data.gateway.consent.confirm as {"3": {"by": ["human"]}}
}

test_an_entry_for_a_place_asks_there if {
	entry := object.union(data.gateway.consent.confirm["2"], {"quorum": 2})
	confirmation.needed(4) with input as example_test.read with data.gateway.consent.confirm_at as {"sandbox": {"4": entry}}
	confirmation.requirement(4) == entry with input as example_test.read
		with data.gateway.consent.confirm_at as {"sandbox": {"4": entry}}
	not confirmation.needed(4) with input as example_test.read
		with data.gateway.consent.confirm_at as {"production": {"4": entry}}
}

test_without_the_table_for_places_confirmation_is_needed_and_unconfigured if {
	confirmation.needed(4) with input as example_test.read with data.gateway.consent.confirm_at as null
	not confirmation.requirement(2) with input as example_test.read with data.gateway.consent.confirm_at as null
}

test_what_counts if {
	cases := {
		"by a human": {},
		"at this second": {"at": example_test.now},
		"just in time": {"at": example_test.now - 600},
		"signed in": {"assurance": "oidc"},
		"NOT too old": {"at": example_test.now - 601},
		"NOT in the future": {"at": example_test.now + 1},
		"NOT at some time": {"at": "now"},
		"NOT by the host": {"by": "host", "assurance": "host"},
		"NOT by a second agent": {"by": "agent", "assurance": "agent"},
		"NOT by a weak sign-in": {"assurance": "host"},
		"NOT by an unknown sign-in": {"assurance": "promise"},
		"NOT by nobody": {"who": ""},
		"NOT by a number": {"who": 7},
		"NOT by the caller": {"who": "agent-7"},
		"NOT by the caller, with issuer": {"who": "https://login.example.com|agent-7"},
		"NOT blind": {"view_hash": ""},
		"NOT with a strange view": {"view_hash": null},
	}
	wrong := {name |
		some name, patch in cases
		counts := _enough([object.union(example_test.confirmation, patch)], example_test.handshaken)
		counts == startswith(name, "NOT")
	}

	wrong == set()
}

test_a_large_amount_takes_two_different_people if {
	large := object.union(example_test.handshaken, {"money": {"amount": "500.01"}})
	ann := example_test.confirmation
	bob := object.union(ann, {"who": "bob"})

	not _enough([ann], large)
	not _enough([ann, ann], large)
	_enough([ann, bob], large)
}

test_without_separation_of_duties_the_caller_counts if {
	own := [object.union(example_test.confirmation, {"who": "agent-7"})]

	nobody := [object.union(example_test.confirmation, {"who": ""})]

	_enough(own, example_test.handshaken) with data.gateway.consent.confirm["2"].separation_of_duties as false
	not _enough(nobody, example_test.handshaken) with data.gateway.consent.confirm["2"].separation_of_duties as false
}

test_a_second_agent_counts_where_the_rule_names_it if {
	agents := object.union(data.gateway.consent.confirm["2"], {"by": ["agent"], "min_assurance": "agent"})
	strict := object.union(agents, {"min_assurance": "link"})
	guard := object.union(example_test.confirmation, {"by": "agent", "who": "guard", "assurance": "agent"})
	own := object.union(guard, {"who": "agent-7"})

	_enough([guard], example_test.handshaken) with data.gateway.consent.confirm as {"2": agents}
	not _enough([guard], example_test.handshaken) with data.gateway.consent.confirm as {"2": strict}
	not _enough([own], example_test.handshaken) with data.gateway.consent.confirm as {"2": agents}
	not _enough([example_test.confirmation], example_test.handshaken) with data.gateway.consent.confirm as {"2": agents}
}

test_the_requirement_of_a_place if {
	relaxed := object.union(data.gateway.consent.confirm["2"], {"by": ["human", "host"], "min_assurance": "host"})

	confirmation.requirement(2) == relaxed with input as example_test.read
		with data.gateway.consent.confirm_at as {"sandbox": {"2": relaxed}}
	confirmation.requirement(2) == data.gateway.consent.confirm["2"] with input as example_test.read
		with data.gateway.consent.confirm_at as {"production": {"2": relaxed}}
}

test_an_incomplete_requirement_is_none if {
	complete := data.gateway.consent.confirm["2"]
	usable := {key |
		some key, _ in complete
		confirmation.requirement(2) with input as example_test.read
			with data.gateway.consent.confirm as {"2": object.remove(complete, [key])}
	}

	usable == set()
	not confirmation.requirement(2) with input as example_test.read
		with data.gateway.consent.confirm as {"2": object.union(complete, {"by": []})}
}

test_the_obligation_of_a_large_amount if {
	large := object.union(example_test.handshaken, {"money": {"amount": "500.01"}})

	wanted := object.union(data.gateway.consent.confirm["2"], {"quorum": 2, "at_least": {"human": 1}})

	confirmation.obligation(2) == wanted with input as large
}

_mixed := object.union(
	data.gateway.consent.confirm["2"],
	{"by": ["agent", "human"], "quorum": 2, "min_assurance": "agent"},
)

_rules(patch) := {"2": object.union(_mixed, patch)}

_said := {
	"guard": object.union(example_test.confirmation, {"by": "agent", "who": "guard", "assurance": "agent"}),
	"warden": object.union(example_test.confirmation, {"by": "agent", "who": "warden", "assurance": "agent"}),
	"an agent called ann": object.union(example_test.confirmation, {"by": "agent", "assurance": "agent"}),
	"ann": example_test.confirmation,
	"bob": object.union(example_test.confirmation, {"who": "bob"}),
}

_by(names) := _enough([_said[name] | some name in names], example_test.handshaken)

test_two_agents_are_no_person if {
	_said.ann.who == _said["an agent called ann"].who
	rules := _rules({})
	three := _rules({"quorum": 3})
	none := _rules({"at_least": {}})

	not _by(["guard", "warden"]) with data.gateway.consent.confirm as rules
	_by(["guard", "ann"]) with data.gateway.consent.confirm as rules
	not _by(["an agent called ann", "ann"]) with data.gateway.consent.confirm as rules
	not _by(["guard", "ann"]) with data.gateway.consent.confirm as three
	_by(["guard", "warden"]) with data.gateway.consent.confirm as none
}

test_minimums_of_the_operator if {
	rules := _rules({"quorum": 1, "at_least": {"human": 2, "agent": 1}})
	question := example_test.handshaken
	wanted := confirmation.obligation(2) with input as question with data.gateway.consent.confirm as rules

	[wanted.quorum, wanted.at_least] == [3, {"human": 2, "agent": 1}]
	not _by(["guard", "warden", "bob"]) with data.gateway.consent.confirm as rules
	_by(["guard", "ann", "bob"]) with data.gateway.consent.confirm as rules
}

test_one_of_either_kind_where_one_is_enough if {
	rules := _rules({"quorum": 1})
	question := example_test.handshaken
	third := {"3": _mixed}
	obligation := confirmation.obligation(3) with input as question with data.gateway.consent.confirm as third

	_by(["guard"]) with data.gateway.consent.confirm as rules
	obligation == third["3"]
}

test_minimums_that_nobody_can_reach_are_none if {
	every broken in [{"host": 1}, {"human": 0}, {"human": "1"}, ["human"], null] {
		rules := _rules({"at_least": broken})
		not confirmation.requirement(2) with input as example_test.read with data.gateway.consent.confirm as rules
	}
}

_enough(confirmations, question) if {
	confirmation.enough(2) with input as example_test.patched(question, "/consent/confirmations", confirmations)
} else := false
