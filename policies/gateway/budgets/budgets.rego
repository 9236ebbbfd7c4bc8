# METADATA
# title: Budgets
# description: >-
#   The operator's sums over windows, and which of them concern this call. What they stand at, the gateway counts; whether
#   that is too much is said in `budget`.
package gateway.budgets

# METADATA
# scope: document
# title: Objection to the entries
# description: >-
#   An entry that cannot be read might concern any call that moves money, so all of those are denied; and so is a tool
#   that such an entry names, whether its money is known or not.
objection := "budgets.unconfigured" if {
	input.money != null
	not _usable
}

objection := "budgets.unconfigured" if {
	some entry in data.gateway.budgets.budgets
	_tool(entry.tool)
	not _whole(entry)
}

# METADATA
# title: Concerned
# description: >-
#   The names of the budgets that this call counts against. Where it cannot be told, because nobody knows the payee, the
#   budget is concerned.
concerned contains name if {
	some name, entry in data.gateway.budgets.budgets
	_caller(entry.caller)
	_tool(entry.tool)
	_payee(entry.payee)
}

# METADATA
# scope: document
# title: Payees
# description: Who receives, in one spelling for all; none where nobody could tell.
default payees := []

payees := input.usage.payees if is_array(input.usage.payees)

# METADATA
# title: Limits
# description: >-
#   What the gateway has to count, and how much of it may be taken in all: one entry for each budget that concerns the
#   call and has a limit in its currency. `per` is what has an account of its own.
limits := [limit |
	some name in concerned
	entry := object.get(data.gateway.budgets.budgets, name, null)
	text := object.get(entry.limits, input.money.currency, null)
	is_string(text)
	limit := {
		"budget": name,
		"per": [key | some key in _keys; object.get(entry, key, null) == "each"],
		"currency": input.money.currency,
		"limit": text,
		"window_seconds": entry.window_seconds,
	}
]

# METADATA
# title: By payee
# description: Those of the concerned that look at the payee, so that the payee must be known.
by_payee contains name if {
	some name in concerned
	entry := object.get(data.gateway.budgets.budgets, name, null)
	entry.payee != "any"
}

_keys := ["caller", "tool", "payee"]

_caller("any")

_caller("each")

_caller(callers) if {
	is_array(callers)
	input.caller.subject in callers
}

_tool("any") if input.money != null

_tool("each") if input.money != null

# What the operator names concerns the budget whether its money is known or not.
_tool(tools) if {
	is_array(tools)
	input.tool.name in tools
}

# One server's tool only.
_tool(tools) if {
	is_array(tools)
	concat("/", [input.call.server, input.tool.name]) in tools
}

_payee("any")

_payee("each")

_payee(wanted) if {
	is_array(wanted)
	count(payees) == 0
}

_payee(wanted) if {
	is_array(wanted)
	some payee in wanted
	lower(payee) in payees
}

_usable if {
	entries := data.gateway.budgets.budgets
	is_object(entries)
	count(_readable) == count(entries)
}

_readable contains name if {
	some name, entry in data.gateway.budgets.budgets
	_whole(entry)
}

_whole(entry) if {
	_selection(entry.caller)
	_selection(entry.tool)
	_payees(entry.payee)
	is_number(entry.window_seconds)
	entry.window_seconds >= 60
	entry.window_seconds <= 2678400
	is_object(entry.limits)
	count(entry.limits) > 0
	decimals := [text | some text in entry.limits; _decimals(text)]
	count(decimals) == count(entry.limits)
}

_selection("any")

_selection("each")

_selection(names) if {
	is_array(names)
	count(names) > 0
	texts := [name | some name in names; is_string(name)]
	count(texts) == count(names)
}

_payees("any")

_payees("each")

# As all payees are spelt, but for capitals (`policy/payees.py`). Other letters and blanks are folded away there, so an
# entry that has them would never meet its payee. No quote, no backslash: engines disagree about them.
_payees(names) if {
	_selection(names)
	plain := [name | some name in names; regex.match(`^[!#-\[\]-~]{1,254}$`, name)]
	count(plain) == count(names)
}

# At most nine digits, then as many as any currency has.
_decimals(text) if {
	is_string(text)
	regex.match(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,4})?$`, text)
}
