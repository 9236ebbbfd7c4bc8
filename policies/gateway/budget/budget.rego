# METADATA
# title: Budget
# description: >-
#   Whether this call still fits into the budgets that concern it. What cannot be counted fits into none: an amount, a payee
#   or a currency that nobody knows is more than any budget.
package gateway.budget

import data.gateway.budgets

# METADATA
# title: Objection to the sum
# description: >-
#   The gateway asks twice where a budget concerns the call: first without numbers, to learn what to count; then with what
#   the budgets stand at, this call's own amount taken out. It reserves in between, in one step, so that two calls never
#   both get the last of it; numbers are in minor units of their currency (1250 is 12.50 USD).
objection := "budget.amount_unknown" if {
	count(budgets.concerned) > 0
	not _amount_known
}

else := "budget.payee_unknown" if {
	count(budgets.by_payee) > 0
	count(budgets.payees) == 0
}

else := "budget.currency_not_limited" if {
	count(budgets.limits) < count(budgets.concerned)
}

else := "budget.not_counted" if {
	is_object(input.usage.budgets)
	count(_sums) < count(budgets.concerned)
}

else := "budget.exceeded" if {
	is_object(input.usage.budgets)
	count(_exceeded) > 0
}

_amount_known if {
	is_string(input.money.amount)
	is_string(input.money.currency)
	input.money.source in {"arguments", "lookup"}
}

_sums[name] := sums if {
	some name in budgets.concerned
	sums := object.get(input.usage.budgets, name, null)
	is_number(sums.limit)
	is_number(sums.spent)
	is_number(sums.reserved)
	is_number(sums.amount)
}

_exceeded contains name if {
	some name in budgets.concerned
	sums := object.get(_sums, name, null)
	(sums.spent + sums.reserved) + sums.amount > sums.limit
}
