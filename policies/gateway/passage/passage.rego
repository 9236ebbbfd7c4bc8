# METADATA
# title: Passage
# description: >-
#   Requests of MCP that are no tool call: resources, prompts, completion, log levels, and the streams on which a server
#   speaks on its own account. They move nothing, but they tell something; what has no entry in `data.yaml` is denied.
# schemas:
#   - input: schema.passage_question
package gateway.passage

import data.gateway.reasons
import data.gateway.request
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
# title: Codes
# description: A malformed request is denied before anything else is judged; it passes when everything is in order.
# scope: document
default codes := {"passage.malformed"}

codes := {"passage.no_subject"} if {
	_well_formed
	not _known
} else := {"passage.method_refused"} if {
	_well_formed
	not _listed
} else := {"passage.role_missing"} if {
	_well_formed
	not _has_role
} else := {"passage.proof_invalid"} if {
	_well_formed
	not _proof_right
} else := {"passage.permitted"} if {
	_well_formed
	_known
	_has_role
	_proof_right
}

_well_formed if {
	request.frame_ok
	call := input.call
	is_string(call.id)
	is_string(call.method)
	type_name(call.target) in {"string", "null"}
}

_known if {
	input.caller.issuer != ""
	input.caller.subject != ""
}

_listed if is_array(_roles)

_has_role if {
	some role in input.caller.roles
	role in _roles
}

# A server's own entry takes the place of the general one, whatever it says.
_roles := object.get(own, input.call.method, general) if {
	own := object.get(data.gateway.passage.servers, input.call.server, {})
	general := object.get(data.gateway.passage.methods, input.call.method, null)
}

# A proof that is there must be right whether or not it is asked for: a stolen token comes without its key.
_proof_right if input.caller.proof.present == false

_proof_right if input.caller.proof.valid == true
