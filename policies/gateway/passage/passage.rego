# METADATA
# title: Passage
# description: >-
#   Requests of MCP that are no tool call: resources, prompts, completion, log levels, and the streams on which a server
#   speaks on its own account. They move nothing, but they tell something; what has no entry in `data.yaml` is denied.
# schemas:
#   - input: schema.passage_question
package gateway.passage

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
# title: Codes
# description: A malformed request is denied before anything else is judged.
# scope: document
default codes := {"passage.permitted"}

codes := {"passage.malformed"} if {
	not _well_formed
} else := {"passage.no_subject"} if {
	not _known
} else := {"passage.method_refused"} if {
	not _listed
} else := {"passage.role_missing"} if {
	not _has_role
} else := {"passage.proof_invalid"} if {
	not _proof_right
}

_well_formed if {
	call := input.call
	is_string(call.server)
	is_string(call.method)
	type_name(call.target) in {"string", "null"}
	is_object(input.env)
	caller := input.caller
	is_string(caller.issuer)
	is_string(caller.subject)
	is_array(caller.roles)
	is_boolean(caller.proof.present)
	is_boolean(caller.proof.valid)
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
