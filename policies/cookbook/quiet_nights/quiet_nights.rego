package gateway.site

# METADATA
# title: No money moves at night
# description: >-
#   In production the tools that move money (`amount_required` in limits/data.yaml) wait for the day. Hours are UTC, made of
#   the question's own time: a policy has no clock. Whoever would notice is asleep at night.
codes contains "site.quiet_night" if {
	input.env.paypal == "production"
	_moves_money
	not _by_day
}

# What you change: the hours, in UTC.
_day_begins := 6

_day_ends := 20

_moves_money if input.tool.name in data.gateway.limits.amount_required

_moves_money if concat("/", [input.call.server, input.tool.name]) in data.gateway.limits.amount_required

_by_day if {
	second := input.env.now % 86400
	second >= _day_begins * 3600
	second < _day_ends * 3600
}
