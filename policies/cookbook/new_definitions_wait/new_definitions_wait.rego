package gateway.site

# METADATA
# title: New definitions wait a day
# description: >-
#   A tool's definition that this gateway has seen for less than a day is not called, approved or not. Attack: a server that
#   changes a tool, and an approval that was got in the same hour.
codes contains "site.definition_too_new" if not _settled_in

# What you change.
_settle_seconds := 86400

_settled_in if {
	is_number(input.tool.first_seen)
	input.env.now - input.tool.first_seen >= _settle_seconds
}
