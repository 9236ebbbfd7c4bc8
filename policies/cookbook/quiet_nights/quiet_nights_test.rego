package gateway.site_test

import data.gateway.site

too_late(place, tool, second) if {
	question := {"env": {"paypal": place, "now": 1795132800 + second}, "tool": {"name": tool}}
	"site.quiet_night" in site.codes with input as question
}

test_the_example_day_begins_at_midnight if 1795132800 % 86400 == 0

test_nothing_moves_at_night if {
	every second in [0, 21599, 72000, 86399] {
		too_late("production", "create_refund", second)
	}
}

test_nor_by_a_tool_of_one_server if {
	question := {
		"call": {"server": "depot"}, "env": {"paypal": "production", "now": 1795132800},
		"tool": {"name": "ship_parcel"},
	}
	"site.quiet_night" in site.codes with input as question
		with data.gateway.limits.amount_required as ["depot/ship_parcel"]
}

test_by_day_it_does if {
	every second in [21600, 43200, 71999] {
		not too_late("production", "create_refund", second)
	}
}

test_what_moves_nothing_goes_on if {
	not too_late("sandbox", "create_refund", 0)
	not too_late("production", "list_products", 0)
}
