# METADATA
# title: Listing
# description: Which tools of a server a caller gets to see, in one evaluation.
# schemas:
#   - input: schema.listing_question
package gateway.listing

import data.gateway.catalog
import data.gateway.classes
import data.gateway.migration
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
answer := {"tools": {name: object.union(_row(name), _mark(name)) | some name in _names}}

# Why a visible tool is marked, and whether it stands behind the verified ones. Absent where there is nothing to say.
default _mark(_) := {}

_mark(name) := {"mark": mark, "last": _last(migration.phase_at(name))} if {
	count(_marks[name]) == 1
	some mark in _marks[name]
}

_marks[name] contains mark if {
	some item in input.tools
	name := item.tool.name
	is_string(name)
	phase := migration.phase_at(name)
	mark := _marked(phase, item.tool, catalog.softened(item.tool, item.approval))
}

_marked(phase, tool, softened) := "exempt" if {
	"catalog.unverified" in softened
	not migration.quiet(phase)
	migration.exempt(tool)
} else := "invalid" if {
	some code in {"catalog.token_invalid", "catalog.signature_invalid"}
	code in softened
	not migration.quiet(phase)
} else := "unverified" if {
	"catalog.unverified" in softened
	not migration.quiet(phase)
} else := "unapproved" if {
	"catalog.not_approved" in softened
	not migration.quiet(phase)
}

default _last(_) := false

_last(phase) if migration.prefers(phase)

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
