# METADATA
# title: Limits
# description: The operator's numbers. An absent number is no limit at all, so it denies.
package gateway.limits

# METADATA
# title: Objection to the numbers
# description: The file as a whole is unusable, or a currency is listed without both of its numbers.
objection := "limits.missing" if not _usable

# METADATA
# title: The limits of a currency
# description: Numbers; undefined unless both are there and soft is not above hard.
of(currency) := {"soft": soft, "hard": hard} if {
	entry := object.get(data.gateway.limits.currencies, currency, null)
	soft := decimal(entry.soft)
	hard := decimal(entry.hard)
	soft <= hard
}

# METADATA
# title: Decimal
# description: >-
#   The number in a decimal string: at most nine digits, then at most two. No sign, no exponent, no blank. Undefined
#   for anything else. Eleven digits survive a double, so both engines compare them exactly.
decimal(text) := to_number(text) if {
	is_string(text)
	regex.match(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$`, text)
}

_usable if {
	is_array(data.gateway.limits.amount_required)
	is_number(data.gateway.limits.soft_quorum)
	data.gateway.limits.soft_quorum >= 1
	is_object(data.gateway.limits.currencies)
	_complete
}

_complete if not _listed

_complete if of(input.money.currency)

_listed if object.get(data.gateway.limits.currencies, input.money.currency, null) != null
