# METADATA
# title: Identity
# description: >-
#   Who asks, and whether someone like that may use a tool of this class at all. Roles and scopes are in
#   `data.yaml`.
package gateway.identity

import data.gateway.classes

# METADATA
# title: Objection to the caller
# description: >-
#   A token must name somebody. A proof of possession that is there must be right whether or not it is asked for: a
#   stolen token comes without its key.
objection(caller, class) := "identity.no_subject" if not _known(caller)

else := "identity.role_missing" if not _has_role(caller, class)

else := "identity.scope_missing" if not _has_scopes(caller, class)

else := "identity.proof_invalid" if not _proof_right(caller)

else := "identity.proof_required" if not _proof_enough(caller, class)

_known(caller) if {
	caller.issuer != ""
	caller.subject != ""
}

_has_role(caller, class) if {
	some role in caller.roles
	role in data.gateway.identity.roles[format_int(class, 10)]
}

# METADATA
# title: Scopes of a class
# description: All that a token must carry for tools of this class. Undefined when the list is missing or none.
needed(class) := wanted if {
	wanted := data.gateway.identity.scopes[format_int(class, 10)]
	is_array(wanted)
}

_has_scopes(caller, class) if {
	every scope in needed(class) {
		scope in caller.scopes
	}
}

_proof_right(caller) if caller.proof.present == false

_proof_right(caller) if caller.proof.valid == true

_proof_enough(_, class) if {
	asked_for := data.gateway.identity.proof_required
	classes.readable(asked_for)
	not class in asked_for
}

_proof_enough(caller, _) if {
	caller.proof.present == true
	caller.proof.valid == true
}
