package gateway.usage_test

import data.gateway.decision
import data.gateway.example_test
import data.gateway.usage

# A refund is of class 2.
said(limits, counts) := code if {
	question := object.union(example_test.refund, {"usage": counts})
	code := usage.objection with input as question
		with data.gateway.usage.classes as object.get(limits, "classes", {})
		with data.gateway.usage.tools as object.get(limits, "tools", {})
} else := "nothing"

failed(number) := {"failures": {"hour": number}}

called(number) := {"calls": {"hour": number}}

test_what_ships_lets_a_normal_caller_through if {
	every question in [example_test.read, example_test.refund, example_test.confirmed] {
		not usage.objection with input as question
	}
}

test_what_ships_stops_who_fails_again_and_again if {
	limits := {"classes": data.gateway.usage.classes, "tools": data.gateway.usage.tools}
	said(limits, failed(29)) == "nothing"
	said(limits, failed(30)) == "usage.failures_exceeded"
}

test_so_often_and_no_more if {
	limits := {"classes": {"2": called(3)}}
	said(limits, called(2)) == "nothing"
	said(limits, called(3)) == "usage.calls_exceeded"
	said(limits, called(4)) == "usage.calls_exceeded"
	said(limits, failed(9)) == "nothing"
	said({"classes": {"3": called(3)}}, called(9)) == "nothing"
}

test_each_window if {
	every window in ["ten_minutes", "hour", "day"] {
		limits := {"classes": {"2": {"calls": {"ten_minutes": 99, "hour": 99, "day": 99, window: 5}}}}
		said(limits, {"calls": {window: 4}}) == "nothing"
		said(limits, {"calls": {window: 5}}) == "usage.calls_exceeded"
	}
}

test_failures_are_said_first if {
	limits := {"classes": {"2": object.union(called(3), failed(3))}}
	said(limits, object.union(called(3), failed(3))) == "usage.failures_exceeded"
}

test_the_narrowest_entry if {
	classes := {"2": called(3)}
	said({"classes": classes, "tools": {"create_refund": called(5)}}, called(4)) == "nothing"
	said({"classes": classes, "tools": {"paypal/create_refund": called(5)}}, called(4)) == "nothing"
	both := {"create_refund": called(1), "paypal/create_refund": called(5)}
	said({"classes": classes, "tools": both}, called(4)) == "nothing"
	said({"classes": classes, "tools": {"other/create_refund": called(5)}}, called(4)) == "usage.calls_exceeded"
	said({"tools": {"create_refund": called(3)}}, called(3)) == "usage.calls_exceeded"
}

test_other_windows_of_the_class_stay if {
	limits := {"classes": {"2": {"calls": {"hour": 3, "day": 9}}}, "tools": {"create_refund": called(5)}}
	said(limits, {"calls": {"hour": 4, "day": 9}}) == "usage.calls_exceeded"
	said({"classes": {"2": failed(3)}, "tools": {"create_refund": called(5)}}, failed(3)) == "usage.failures_exceeded"
}

test_entries_that_are_none if {
	broken := [entry |
		some entry in [
			null, 30, "30", [], false,
			{"calls": null}, {"calls": 30}, {"calls": [30]}, {"calls": "hour"},
			{"call": {"hour": 30}}, {"failures": {"hours": 30}}, {"failures": {"hour": "30"}},
			{"failures": {"hour": 0}}, {"failures": {"hour": -1}}, {"failures": {"hour": null}},
			{"failures": {"hour": 30}, "calls": {"hour": "30"}},
			{"failures": {"hour": 30}}, {"failures": {}}, {},
		]
		said({"tools": {"create_refund": entry}}, failed(0)) == "usage.unconfigured"
		said({"tools": {"paypal/create_refund": entry}}, failed(0)) == "usage.unconfigured"
		said({"classes": {"2": entry}}, failed(0)) == "usage.unconfigured"
	]
	count(broken) == 16
}

test_entries_of_other_tools_concern_nobody if {
	said({"tools": {"pay_order": null}, "classes": {"3": null}}, failed(0)) == "nothing"
}

test_tables_that_are_none if {
	every table in [null, [], "tools"] {
		said({"tools": table}, failed(0)) == "usage.unconfigured"
		said({"classes": table}, failed(0)) == "usage.unconfigured"
	}
}

test_a_limit_without_a_count_denies if {
	limits := {"classes": {"2": failed(30)}}
	uncounted := [object.remove(example_test.refund, ["usage"])]
	broken := [object.union(object.remove(example_test.refund, ["usage"]), {"usage": counts}) |
		some counts in [
			null, [], {"calls": example_test.never}, {"failures": null}, {"failures": {}},
			{"failures": {"hour": null}}, {"failures": {"hour": "0"}},
		]
	]
	every question in array.concat(uncounted, broken) {
		usage.objection == "usage.not_counted" with input as question
			with data.gateway.usage.classes as limits.classes
		not usage.objection with input as question with data.gateway.usage.classes as {}
	}
}

test_each_kind_has_to_be_counted_by_itself if {
	limits := {"classes": {"2": object.union(called(30), failed(30))}}
	said(limits, {"calls": null}) == "usage.not_counted"
	said(limits, {"failures": null}) == "usage.not_counted"
	said({"classes": {"2": called(30)}}, {"failures": null}) == "nothing"
}

test_an_unknown_tool_is_not_ours_to_refuse if {
	not usage.objection with input as object.union(example_test.read, {"tool": {"name": "unknown"}})
}

test_it_decides if {
	question := object.union(example_test.read, {"usage": called(60)})
	answer := decision.answer with input as question
		with data.gateway.usage.tools as {"list_products": called(60)}

	answer.outcome == "deny"
	"usage.calls_exceeded" in {reason.code | some reason in answer.reasons}
}
