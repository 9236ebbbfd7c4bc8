# METADATA
# title: Reasons
# description: >-
#   Rooms say codes; the outcome, the message and the remedy of a code stand in `data.yaml` beside this file, once.
package gateway.reasons

import data.gateway.strictest

# METADATA
# title: The reasons behind a set of codes
# description: Strictest first.
behind(codes) := [of(code) | some code in codes] if {
	count(codes) == 1
} else := strictest.sorted([of(code) | some code in sort(codes)])

# METADATA
# title: The reason behind a code
# description: >-
#   Anything unknown said means deny. Without the check of the outcome a misspelt one ("denny") beside an allow would
#   drop out of the order, and the answer would be allow.
of(code) := {"code": code, "outcome": text.outcome, "message": text.message, "remedy": text.remedy} if {
	text := object.get(data.gateway.reasons.catalogue, code, null)
	text.outcome in strictest.order
} else := {"code": code, "outcome": text.outcome, "message": text.message, "remedy": text.remedy} if {
	# A site's own texts. The catalogue wins, and a site says neither allow (only consent does) nor confirm (which only
	# consent knows the end of).
	startswith(code, "site.")
	object.get(data.gateway.reasons.catalogue, code, null) == null
	text := object.get(data.gateway.site.reasons, code, null)
	text.outcome in {"deny", "handshake"}
} else := {
	"code": code,
	"outcome": "deny",
	"message": "The policy said something that it has no usable explanation for.",
	"remedy": "Complete the entry for this code in policies/gateway/reasons/data.yaml; that of a site.* in site/data.yaml.",
}
