# METADATA
# title: Confirmation
# description: Whose confirmation counts, and how many are enough. The numbers are in consent/data.yaml.
package gateway.confirmation

import data.gateway.assurance
import data.gateway.money
import data.gateway.site

# METADATA
# scope: document
# title: Needed
# description: >-
#   Always for the classes 1 and 2; for another class when the operator wrote an entry for it, or a rule of the site
#   asks for people.
needed(class) if class <= 2

needed(class) if not _unasked(class)

needed(_) if site.quorum >= 1

# METADATA
# title: Requirement
# description: What the operator asks for, for this class at this place. Undefined unless every part of it is usable.
requirement(class) := wanted if {
	wanted := _entry(_key(class))
	is_array(wanted.by)
	count(wanted.by) > 0
	is_number(wanted.quorum)
	wanted.quorum >= 1
	assurance.rank(wanted.min_assurance)
	is_number(wanted.ttl_seconds)
	wanted.ttl_seconds >= 1
	is_boolean(wanted.separation_of_duties)
	_usable_minimums(wanted)
}

# METADATA
# title: Obligation
# description: >-
#   The requirement as the gateway has to carry it out: a large amount raises the quorum, and so do the site's
#   rules and the minimums per kind.
obligation(class) := object.union_n([wanted, {"quorum": quorum}, minimums]) if {
	wanted := requirement(class)
	asked := max([wanted.quorum, money.quorum, site.quorum])
	minimums := _minimums(class, wanted, asked)
	quorum := max([asked, sum([minimum | some minimum in object.get(minimums, "at_least", {})])])
}

# What the operator wrote counts. Otherwise, in the classes 1 and 2, where people are named and one signature is not
# enough, one of the signatures is a person's. Attack: two agents that read the same injected text agree with each other.
_minimums(_, wanted, _) := {"at_least": wanted.at_least}

_minimums(class, wanted, quorum) := {"at_least": {"human": 1}} if {
	not wanted.at_least
	_takes_a_person(class, wanted, quorum)
}

_minimums(class, wanted, quorum) := {} if {
	not wanted.at_least
	not _takes_a_person(class, wanted, quorum)
}

_takes_a_person(class, wanted, quorum) if {
	class <= 2
	quorum >= 2
	"human" in wanted.by
}

# A minimum of a kind that does not count could never be reached.
_usable_minimums(wanted) if not wanted.at_least

_usable_minimums(wanted) if {
	is_object(wanted.at_least)
	every kind, minimum in wanted.at_least {
		kind in wanted.by
		is_number(minimum)
		minimum >= 1
	}
}

# METADATA
# title: Enough
# description: Different people are counted, not confirmations; of each kind as many as it takes.
enough(class) if {
	wanted := obligation(class)
	people := {confirmation.who |
		some confirmation in input.consent.confirmations
		_counts(confirmation, wanted)
	}
	count(people) >= wanted.quorum
	every kind, minimum in object.get(wanted, "at_least", {}) {
		count(_of_kind(kind, wanted)) >= minimum
	}
}

_of_kind(kind, wanted) := {confirmation.who |
	some confirmation in input.consent.confirmations
	confirmation.by == kind
	_counts(confirmation, wanted)
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

# Tables that are missing or no tables ask for it, and then it is unconfigured.
_unasked(class) if _entry(format_int(class, 10)) == false

# What the operator wrote for a class: at this place, else in general; false where nothing is written.
_entry(key) := object.get(
	data.gateway.consent.confirm_at,
	[input.env.paypal, key],
	object.get(data.gateway.consent.confirm, key, false),
)

# Whose entry a class goes by. Where only a rule of the site asks for people, who counts is said by the entry of class 2.
_key(class) := "2" if {
	class >= 3
	site.quorum >= 1
	_unasked(class)
} else := format_int(class, 10)

# The ways in which a confirmation may name the caller.
_own_name(who) if who in {
	input.caller.subject,
	concat("|", [input.caller.issuer, input.caller.subject]),
	concat(" ", [input.caller.issuer, input.caller.subject]),
	concat("#", [input.caller.issuer, input.caller.subject]),
}
