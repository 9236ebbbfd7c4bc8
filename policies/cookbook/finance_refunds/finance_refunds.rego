package gateway.site

import data.gateway.limits

# METADATA
# title: Large refunds are for finance
# description: >-
#   A refund above the amount of its currency needs the role `finance` on top of what its class needs. A currency that is
#   not listed counts as above. Accepting a claim is a refund, too: its amount is that of the dispute.
codes contains "site.refund_needs_finance" if {
	input.tool.name in _refund_tools
	not _small_refund
	not _of_finance
}

# What you change: the tools, the amount that everybody may refund, and the role.
_refund_tools := {"create_refund", "refund_transaction", "accept_dispute_claim"}

_refund_without_finance := {"USD": "100.00", "EUR": "100.00", "GBP": "80.00"}

_of_finance if "finance" in input.caller.roles

_small_refund if {
	most := limits.decimal(object.get(_refund_without_finance, input.money.currency, null))
	limits.decimal(input.money.amount) <= most
}
