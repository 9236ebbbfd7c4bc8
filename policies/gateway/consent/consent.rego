# METADATA
# title: Consent
# description: >-
#   What has to happen before the call is carried out, and whether it has. The classes 1 to 3 want the handshake, 1 and 2
#   a confirmation on top. The only room that says allow: a call that nobody objects to still needs somebody to say yes.
package gateway.consent

import data.gateway.confirmation

# METADATA
# title: What consent says
# description: >-
#   A set of codes; after the handshake or a confirmation the question is asked again and the answer moves on.
codes(class) := {"consent.not_required"} if {
	class >= 4
	not confirmation.needed(class)
	not _two_phases(class)
} else := {"consent.unconfigured"} if {
	not _configured(class)
} else := {"consent.given"} if {
	_handshaken(class)
	_confirmed(class)
} else := union({
	{"consent.handshake_required" | not _handshaken(class)},
	{"consent.confirmation_required" | not _confirmed(class)},
})

# Whoever begins an internal call with the first phase over plain HTTP also ends it with the second (C08).
_two_phases(class) if {
	class == 4
	input.call.era == "rest"
}

_handshaken(class) if {
	class >= 4
	not _two_phases(class)
}

# Done, and not stale. Without an age it does not count.
_handshaken(_) if {
	handshake := input.consent.handshake
	handshake.satisfied == true
	is_number(handshake.age_s)
	handshake.age_s >= 0
	handshake.age_s <= data.gateway.consent.handshake.max_age_seconds
}

_confirmed(class) if {
	class >= 3
	not confirmation.needed(class)
}

_confirmed(class) if confirmation.enough(class)

# Without usable times there is no telling when consent is enough. 60 seconds is the hard cap: a long-lived token of
# the first phase is a standing privilege.
_configured(class) if {
	times := data.gateway.consent.handshake
	is_number(times.ttl_seconds)
	times.ttl_seconds >= 1
	times.ttl_seconds <= 60
	is_number(times.max_age_seconds)
	times.max_age_seconds >= times.ttl_seconds
	_confirmation_configured(class)
}

_confirmation_configured(class) if {
	class >= 3
	not confirmation.needed(class)
}

_confirmation_configured(class) if confirmation.requirement(class)
