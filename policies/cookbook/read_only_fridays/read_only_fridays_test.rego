package gateway.site_test

import data.gateway.site

# 2026-11-20 is a Friday.
friday := 1795132800

read_only(tool, now) if {
	"site.read_only_day" in site.codes with input as {"tool": {"name": tool}, "env": {"now": now}}
}

test_nothing_is_written_on_a_friday if {
	read_only("create_product", friday)
	read_only("create_refund", friday + 86399)
}

test_reading_goes_on if {
	every tool in ["list_products", "get_invoice", "show_product_details"] {
		not read_only(tool, friday)
	}
}

test_other_days_are_open if {
	not read_only("create_product", friday - 1)
	not read_only("create_product", friday + 86400)
}
