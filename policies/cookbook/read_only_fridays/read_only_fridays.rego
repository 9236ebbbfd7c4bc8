package gateway.site

# METADATA
# title: Read-only Fridays
# description: >-
#   On some days of the week only reading tools are served. Days are UTC, made of the question's own time: 1 January 1970 was
#   a Thursday. What reads is known by its name; annotations are what a server says of itself.
codes contains "site.read_only_day" if {
	_on_a_read_only_day
	not _only_reads
}

# What you change: days (0 is Sunday, 5 is Friday), and how the names of reading tools begin.
_read_only_days := [5]

_reading_names := ["list_", "get_", "show_"]

_on_a_read_only_day if {
	second := (input.env.now + (4 * 86400)) % 604800
	some day in _read_only_days
	second >= day * 86400
	second < (day + 1) * 86400
}

_only_reads if {
	some prefix in _reading_names
	startswith(input.tool.name, prefix)
}
