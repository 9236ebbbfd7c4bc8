# METADATA
# title: Usage
# description: >-
#   How often this caller had this tool called already, and how often in vain, against the operator's numbers. The gateway
#   counts: `input.usage.calls` and `input.usage.failures` are from before this call.
package gateway.usage

import data.gateway.classes

# METADATA
# title: Objection to the frequency
# description: >-
#   A limit that cannot be read, or held against a number, is no permission. Attacks: reading all customers, page after
#   page; trying stolen cards, one declined payment after another.
objection := "usage.unconfigured" if {
	_class
	not _entries
}

else := _said if _entries != [{}, {}]

_class := classes.of(input.tool.name)

# Those that concern the call, the class's first. Undefined where a table or an entry is none; what is listed nowhere costs
# no more than this.
_entries := [class, tool] if {
	is_object(data.gateway.usage.classes)
	class := object.get(data.gateway.usage.classes, format_int(_class, 10), {})
	is_object(class)
	tools := data.gateway.usage.tools
	is_object(tools)
	tool := object.get(tools, concat("/", [input.call.server, input.tool.name]), object.get(tools, input.tool.name, {}))
	is_object(tool)
}

_said := "usage.unconfigured" if {
	not _readable
}

else := "usage.not_counted" if {
	_failures != {}
	not _counted("failures", _failures)
}

else := "usage.not_counted" if {
	_calls != {}
	not _counted("calls", _calls)
}

else := "usage.failures_exceeded" if {
	_exceeded("failures", _failures)
}

else := "usage.calls_exceeded" if {
	_exceeded("calls", _calls)
}

_readable if {
	every entry in _entries {
		_whole(entry)
	}
}

_whole(entry) if {
	kinds := [limits |
		some kind in ["failures", "calls"]
		limits := object.get(entry, kind, null)
		is_object(limits)
	]
	count(kinds) == count(entry)
	readable := [limit |
		some limits in kinds
		some window in _windows
		limit := object.get(limits, window, null)
		is_number(limit)
		limit >= 1
	]
	count(readable) == sum([count(limits) | some limits in kinds])
}

_failures := object.union_n([object.get(entry, "failures", {}) | some entry in _entries])

_calls := object.union_n([object.get(entry, "calls", {}) | some entry in _entries])

_counted(kind, limits) if {
	counts := input.usage[kind]
	is_object(counts)
	listed := [number |
		some window in _windows
		object.get(limits, window, null) != null
		number := object.get(counts, window, null)
		is_number(number)
	]
	count(listed) == count(limits)
}

_exceeded(kind, limits) if {
	counts := input.usage[kind]
	some window in _windows
	limit := object.get(limits, window, null)
	is_number(limit)
	object.get(counts, window, null) >= limit
}

_windows := ["ten_minutes", "hour", "day"]
