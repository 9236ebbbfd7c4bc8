# METADATA
# title: Administration
# description: >-
#   Which person may confirm, refuse, approve and revoke tools, read, stop and lift, and settle transactions. Agents do
#   none of that; they may ask for the approval of a tool, which opens nothing, and stop what an alarm tells them to.
# schemas:
#   - input: schema.admin_question
package gateway.admin

import data.gateway.assurance
import data.gateway.reasons
import data.gateway.strictest

# METADATA
# title: Answer
# description: allow or deny; the strictest reason wins here as well.
# entrypoint: true
answer := {
	"outcome": strictest.of(_reasons),
	"reasons": _reasons,
}

_reasons := reasons.behind(codes)

# METADATA
# title: The question is malformed
# description: A document with a missing part or a part of the wrong type.
codes contains "admin.malformed" if {
	not _well_formed
}

# METADATA
# title: The action is not known
# description: What nobody wrote a rule for, nobody may do.
codes contains "admin.unknown_action" if {
	not _known_action
}

# METADATA
# title: The person lacks the role
# description: Roles per action are in `data.yaml`.
codes contains "admin.role_missing" if {
	not _has_role
}

# METADATA
# title: Confirming one's own call
# description: Separation of duties; an agent that runs with a person's token must not be waved through by that person.
codes contains "admin.self_confirmation" if {
	input.action == "confirm"
	not _independent
}

# METADATA
# title: The sign-in is too weak
# description: How the person proved who they are, against what the action and the call ask for.
codes contains "admin.assurance_too_low" if {
	not _assured
}

# METADATA
# title: Permitted
# description: The person has the role and the sign-in that the action asks for.
codes contains "admin.permitted" if {
	_has_role
	_assured
}

# METADATA
# title: Settling one's own transaction
# description: Whoever asked for a call is not the one who says what became of it.
codes contains "admin.own_transaction" if {
	input.action == "settle_transaction"
	input.target.caller.subject == input.person.subject
}

_known_action if input.action in {"confirm", "refuse", "approve_tool", "revoke_tool", "request_tool", "read"}

_known_action if input.action in {"kill_list", "kill_add", "kill_lift", "settle_transaction"}

_well_formed if {
	is_string(input.action)
	_person_ok
	is_object(input.env)
	_target_ok(input.action)
}

_person_ok if {
	is_string(input.person.issuer)
	is_string(input.person.subject)
	input.person.subject != ""
	is_array(input.person.roles)
	is_string(input.person.assurance)
}

_target_ok(action) if {
	not _about_a_call(action)
	is_object(input.target)
}

_target_ok("settle_transaction") if is_string(input.target.caller.subject)

# Without the caller there is no telling who would confirm their own call.
_target_ok("confirm") if {
	is_string(input.target.caller.issuer)
	is_string(input.target.caller.subject)
	is_object(input.target.obligations)
}

_about_a_call(action) if action in {"confirm", "settle_transaction"}

_has_role if {
	some role in input.person.roles
	role in data.gateway.admin.roles[input.action]
}

_independent if input.person.subject != input.target.caller.subject

_independent if input.person.issuer != input.target.caller.issuer

_independent if input.target.obligations.separation_of_duties == false

_assured if {
	have := assurance.rank(input.person.assurance)
	have >= assurance.rank(data.gateway.admin.min_assurance[input.action])
	have >= assurance.rank(_asked)
}

default _asked := "host"

_asked := input.target.obligations.min_assurance
