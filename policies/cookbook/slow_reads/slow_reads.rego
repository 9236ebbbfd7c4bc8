package gateway.site

# METADATA
# title: No reading page after page
# description: >-
#   Lists with personal data are read so many times an hour, whatever a page holds. Attack: small pages, one after another,
#   until all customers are carried out. Needs no rule of its own where this is enough: usage/data.yaml says it, too.
codes contains "site.read_too_often" if {
	input.tool.name in _slow_lists
	not _read_below(_reads_an_hour)
}

# METADATA
# title: Reading on takes the handshake
# description: Before that the caller says it twice, and a person sees it in the audit.
codes contains "site.read_again" if {
	input.tool.name in _slow_lists
	_read_below(_reads_an_hour)
	not _read_below(_reads_at_first)
	not handshaken
}

# What you change.
_slow_lists := {"list_transactions", "list_invoices", "list_disputes"}

_reads_an_hour := 60

_reads_at_first := 20

_read_below(most) if {
	is_number(input.usage.calls.hour)
	input.usage.calls.hour < most
}
