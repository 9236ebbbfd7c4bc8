# METADATA
# title: Money
# description: >-
#   How much, in which currency, and whether that is within the limits. A refund without an amount is a refund of all
#   that is left. What nobody can state, nobody can approve: an amount that could not be learned counts as more than any
#   limit, for every tool.
package gateway.money

import data.gateway.limits

# METADATA
# title: Objection to the amount
# description: >-
#   Negative numbers, exponents and more than two decimals are refused, not rounded. No confirmation lifts the hard
#   limit.
objection := "money.amount_unknown" if not _settled

else := "money.amount_invalid" if {
	input.money != null
	not _amount
}

else := "money.currency_not_allowed" if {
	input.money != null
	not _listed
}

else := "money.over_limit" if {
	input.money != null
	not _within
}

# METADATA
# scope: document
# title: How many people
# description: How many different people have to confirm because of the amount.
default quorum := 1

quorum := data.gateway.limits.soft_quorum if _amount > limits.of(input.money.currency).soft

_amount := limits.decimal(input.money.amount)

_settled if {
	input.money == null
	name := input.tool.name
	movers := data.gateway.limits.amount_required
	is_array(movers)
	not name in movers
	own := concat("/", [input.call.server, name])
	not own in movers
}

_settled if {
	is_string(input.money.amount)
	input.money.source in {"arguments", "lookup"}
}

_listed if object.get(data.gateway.limits.currencies, input.money.currency, null) != null

_within if _amount <= limits.of(input.money.currency).hard
