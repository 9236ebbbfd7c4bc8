package gateway.site

# METADATA
# title: No reading in bulk
# description: >-
#   Lists with personal data are read in small pages, and the page's size must be said: what a target takes for granted
#   may be a hundred rows. Attack: one call that carries the customers out. Many small ones are the attack in slow_reads.
codes contains "site.bulk_read" if {
	input.tool.name in _personal_lists
	not _page_within(_most_rows)
}

# METADATA
# title: Larger pages take the handshake
# description: Between the two sizes the caller says it twice, and a person sees it in the audit.
codes contains "site.large_read" if {
	input.tool.name in _personal_lists
	_page_within(_most_rows)
	not _page_within(_rows_at_once)
	not handshaken
}

# What you change.
_personal_lists := {"list_transactions", "list_invoices", "list_disputes"}

_most_rows := 50

_rows_at_once := 20

_page_within(most) if {
	is_number(input.arguments.page_size)
	input.arguments.page_size >= 1
	input.arguments.page_size <= most
}
