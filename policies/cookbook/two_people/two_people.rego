package gateway.site

import data.gateway.limits

# METADATA
# title: Two people above an amount
# description: >-
#   Whatever the tool's class: an invoice or an order of this size waits for two different people, too. Who counts is said by
#   consent/data.yaml. For the classes 1 and 2 alone, `soft` and `soft_quorum` of limits/data.yaml do this without a rule.
quorums contains 2 if {
	input.money != null
	not _for_one
}

# What you change. A currency that is not listed always takes two.
_two_people_above := {"USD": "5000.00", "EUR": "5000.00", "GBP": "4000.00", "JPY": "750000"}

_for_one if {
	most := limits.decimal(object.get(_two_people_above, input.money.currency, null))
	limits.decimal(input.money.amount) <= most
}
