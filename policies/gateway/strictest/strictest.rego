# METADATA
# title: Strictest
# description: The one place that orders the four outcomes.
package gateway.strictest

# METADATA
# title: Order of outcomes
# description: Strictest first.
order := ["deny", "handshake", "confirm", "allow"]

# METADATA
# title: Reasons, strictest first
# description: For people and for the audit; the first reason is one that decided.
sorted(reasons) := [reason |
	some outcome in order
	some reason in reasons
	reason.outcome == outcome
]

# METADATA
# scope: document
# title: The strictest outcome of sorted reasons
# description: Nothing said means deny.
default of(_) := "deny"

of(reasons) := reasons[0].outcome
