# METADATA
# title: Decision
# description: The one question, and the one place where its answer is put together.
package gateway.decision

import data.gateway.arguments
import data.gateway.budget
import data.gateway.budgets
import data.gateway.catalog
import data.gateway.classes
import data.gateway.confirmation
import data.gateway.identity
import data.gateway.migration
import data.gateway.money
import data.gateway.reasons
import data.gateway.receipts
import data.gateway.redaction
import data.gateway.request
import data.gateway.rooms
import data.gateway.site
import data.gateway.strictest
import data.gateway.tier
import data.gateway.transactions
import data.gateway.usage

# METADATA
# title: Answer
# description: >-
#   The strictest outcome that any reason asks for. Nothing said, or anything unknown said, means deny.
#   After a handshake or a confirmation the same question is asked again with `consent` filled in.
# entrypoint: true
answer := {
	"outcome": outcome,
	"reasons": _reasons,
	"data_class": _class,
	"tier": _tier,
	"phase": _phase,
	"would_be": _would_be,
	"obligations": obligations,
}

# METADATA
# title: Outcome
# description: allow, handshake, confirm or deny.
outcome := strictest.of(_reasons)

# METADATA
# title: Codes
# description: All that is said. A malformed question is denied before any room judges it.
codes := union({
	rooms.about(input.tool, input.approval),
	arguments.codes,
	site.codes,
	{code | code := money.objection},
	{code | code := budgets.objection},
	{code | code := budget.objection},
	{code | code := usage.objection},
}) if {
	request.well_formed
} else := {request.objection}

# METADATA
# title: The handshake to make
# description: Present when the handshake is due.
obligations["handshake"] := {"ttl_seconds": data.gateway.consent.handshake.ttl_seconds} if outcome == "handshake"

# METADATA
# title: The confirmation to get
# description: Present when one is due now, or after the handshake.
obligations["confirm"] := confirmation.obligation(_class) if {
	outcome in {"handshake", "confirm"}
	"consent.confirmation_required" in codes
}

# METADATA
# title: What to mask in the result
# description: Present when the call is carried out, or answered by an equal one, and its result holds personal data.
obligations["redact"] := redaction.pointers if _answered

# METADATA
# title: Which equal calls not to send
# description: >-
#   Present when the call is carried out and its class has a window; and when a person would have to confirm it, if an
#   equal call that was carried out answers for it: nobody is asked for what would not be sent.
obligations["duplicates"] := transactions.duplicates(_class) if _answered

# METADATA
# title: Whether a recovery may ask again
# description: Present when the call is carried out and its tool may be replayed.
obligations["replay"] := transactions.replay(_class) if outcome == "allow"

# METADATA
# title: What to count against budgets
# description: >-
#   Present when a budget concerns the call, also when the answer is no: what an earlier phase reserved is given back then.
obligations["limits"] := budgets.limits if count(budgets.limits) > 0

# METADATA
# title: The receipt
# description: Present when the gateway is to sign what becomes of this call.
obligations["receipt"] := receipts.due(_class, outcome)

# METADATA
# title: Warnings
# description: What a later migration phase would deny.
obligations["warn"] := [text |
	some reason in reasons.behind(_softened)
	text := concat(": ", [reason.code, reason.message])
] if {
	_would_be == "deny"
	not migration.quiet(_phase)
}

# METADATA
# title: What was softened
# description: Present beside `would_be`. The codes are for the audit, also where callers are told nothing.
obligations["softened"] := [code | some code in union({_softened, _exempted})] if _would_be == "deny"

# METADATA
# title: The scopes to ask for
# description: >-
#   Present when scopes are missing: all that the call needs, those that the token has included, so that one step-up
#   is enough.
obligations["scopes"] := identity.needed(_class) if {
	outcome == "deny"
	"identity.scope_missing" in codes
	count(identity.needed(_class)) > 0
}

_answered if outcome == "allow"

_answered if {
	outcome == "confirm"
	transactions.duplicates(_class).answers == "all"
}

_reasons := reasons.behind(codes)

default _class := null

_class := classes.of(input.tool.name)

default _tier := null

_tier := tier.of(_class)

default _phase := null

_phase := migration.phase_at(input.tool.name)

# The phase may soften, and then says what it would have been.
default _would_be := null

_would_be := "deny" if {
	outcome in {"handshake", "confirm", "allow"}
	count(_softened) > 0
}

_softened := catalog.softened(input.tool, input.approval)

_exempted contains "exempt" if {
	"catalog.unverified" in _softened
	migration.exempt(input.tool)
}
