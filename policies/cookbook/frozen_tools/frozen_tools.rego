package gateway.site

# METADATA
# title: Frozen until a date
# description: >-
#   A tool that nobody may use until a day that is known already: a migration, an audit, an incident. It thaws by itself.
#   Without a date, `closed` of environment/data.yaml does it, and hides the tool from listings; in a hurry, the kill switch.
codes contains "site.frozen" if {
	names := [input.tool.name, concat("/", [input.call.server, input.tool.name])]
	some name in names
	until := object.get(_frozen_until, name, 0)
	input.env.now < until
}

# What you change: a tool's name, or server/name, and the unix second from which on it may be used again.
_frozen_until := {
	"accept_dispute_claim": 1798761600, # 2027-01-01
	"depot/ship_parcel": 1798761600,
}
