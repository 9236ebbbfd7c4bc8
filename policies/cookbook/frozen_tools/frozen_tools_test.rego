package gateway.site_test

import data.gateway.site

frozen(server, tool, now) if {
	question := {"call": {"server": server}, "tool": {"name": tool}, "env": {"now": now}}
	"site.frozen" in site.codes with input as question
}

test_frozen_until_its_day if {
	frozen("paypal", "accept_dispute_claim", 1798761599)
	not frozen("paypal", "accept_dispute_claim", 1798761600)
	not frozen("paypal", "list_products", 1798761599)
}

test_frozen_at_one_server if {
	frozen("depot", "ship_parcel", 1798761599)
	not frozen("elsewhere", "ship_parcel", 1798761599)
}
