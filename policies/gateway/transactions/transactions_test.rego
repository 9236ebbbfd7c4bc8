package gateway.transactions_test

import data.gateway.example_test
import data.gateway.transactions

windows := {"2": {"window_seconds": 600, "answers": "all"}}

test_duplicates if {
	transactions.duplicates(2) == {"window_seconds": 600, "answers": "all"} with data.gateway.transactions.windows as windows
	not transactions.duplicates(3) with data.gateway.transactions.windows as windows
}

test_replay_only_while_an_equal_call_is_not_sent if {
	said := {seconds: answer |
		some seconds in [1, 600, 601]
		answer := transactions.replay(2) with input as example_test.refund
			with data.gateway.transactions.windows as windows
			with data.gateway.transactions.replayable as {"create_refund": seconds}
	}

	said == {1: {"within_seconds": 1}, 600: {"within_seconds": 600}}
}

test_no_replay_without_an_entry if {
	not transactions.replay(2) with input as example_test.refund
	not transactions.replay(3) with input as example_test.refund
		with data.gateway.transactions.replayable as {"create_refund": 1}
		with data.gateway.transactions.windows as windows
}

test_objection if {
	not transactions.objection
	transactions.objection == "transactions.unconfigured" with data.gateway.transactions.windows as null
	transactions.objection == "transactions.unconfigured" with data.gateway.transactions.replayable as null
}
