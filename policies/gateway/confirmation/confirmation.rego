# METADATA
# title: Confirmation
# description: Whose confirmation counts, and how many are enough. The numbers are in consent/data.yaml.
package gateway.confirmation

import data.gateway.assurance
import data.gateway.money

# METADATA
# scope: document
# title: Needed
# description: Always for the classes 1 and 2; for another class when the operator wrote an entry for it.
needed(class) if class <= 2

needed(class) if data.gateway.consent.confirm[format_int(class, 10)]

# METADATA
# title: Requirement
# description: What the operator asks for, for this class at this place. Undefined unless every part of it is usable.
requirement(class) := wanted if {
	key := format_int(class, 10)
	wanted := object.get(
		data.gateway.consent.confirm_at,
		[input.env.paypal, key],
		data.gateway.consent.confirm[key],
	)
	is_array(wanted.by)
	count(wanted.by) > 0
	is_number(wanted.quorum)
	wanted.quorum >= 1
	assurance.rank(wanted.min_assurance)
	is_number(wanted.ttl_seconds)
	wanted.ttl_seconds >= 1
	is_boolean(wanted.separation_of_duties)
}

# METADATA
# title: Obligation
# description: The requirement as the gateway has to carry it out; a large amount raises the quorum.
obligation(class) := object.union(wanted, {"quorum": max([wanted.quorum, money.quorum])}) if {
	wanted := requirement(class)
}

# METADATA
# title: Enough
# description: Different people are counted, not confirmations.
enough(class) if {
	wanted := obligation(class)
	people := {confirmation.who |
		some confirmation in input.consent.confirmations
		_counts(confirmation, wanted)
	}
	count(people) >= wanted.quorum
}

_counts(confirmation, wanted) if {
	confirmation.by in wanted.by
	_seen(confirmation.view_hash)
	_fresh(confirmation.at, wanted.ttl_seconds)
	assurance.rank(confirmation.assurance) >= assurance.rank(wanted.min_assurance)
	_independent(confirmation.who, wanted.separation_of_duties)
}

# A confirmation of something that was not shown confirms nothing.
_seen(view_hash) if {
	is_string(view_hash)
	view_hash != ""
}

_fresh(at, ttl) if {
	is_number(at)
	at <= input.env.now
	input.env.now - at <= ttl
}

_independent(who, _) if {
	is_string(who)
	who != ""
	not _own_name(who)
}

_independent(who, false) if {
	is_string(who)
	who != ""
}

# The ways in which a confirmation may name the caller.
_own_name(who) if who in {
	input.caller.subject,
	concat("|", [input.caller.issuer, input.caller.subject]),
	concat(" ", [input.caller.issuer, input.caller.subject]),
	concat("#", [input.caller.issuer, input.caller.subject]),
}
