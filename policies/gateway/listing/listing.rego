# METADATA
# title: Listing
# description: Which tools of a server a caller gets to see, in one evaluation.
# schemas:
#   - input: schema.listing_question
package gateway.listing

import data.gateway.classes
import data.gateway.reasons
import data.gateway.request
import data.gateway.rooms
import data.gateway.strictest
import data.gateway.tier

# METADATA
# title: Answer
# description: >-
#   A tool is visible exactly when a call of it would not be denied whatever the arguments; the same rooms judge both.
#   A tool without a name is left out. Two tools of one name are judged together, and the worse one counts.
# entrypoint: true
answer := {"tools": {name: _row(name) | some name in _names}}

_names contains name if {
	some item in input.tools
	name := item.tool.name
	is_string(name)
}

_codes[name] contains code if {
	some item in input.tools
	name := item.tool.name
	is_string(name)
	some code in _said(item)
}

_said(item) := rooms.about(item.tool, item.approval) if {
	request.frame_ok
	request.item_ok(item.tool, item.approval)
} else := {request.objection}

_row(name) := {
	"visible": _visible(outcome, said),
	"outcome": outcome,
	"data_class": _class(name),
	"tier": _tier(name),
	"reasons": said,
} if {
	said := reasons.behind(_codes[name])
	outcome := strictest.of(said)
}

default _visible(_, _) := false

_visible(outcome, _) if outcome in {"handshake", "confirm", "allow"}

_visible(_, said) if {
	data.gateway.listing.show_unverified == true
	every reason in said {
		_curable(reason)
	}
}

_curable(reason) if reason.outcome != "deny"

_curable(reason) if reason.code in {"catalog.unverified", "catalog.not_approved"}

default _class(_) := null

_class(name) := classes.of(name)

default _tier(_) := null

_tier(name) := tier.of(classes.of(name))
