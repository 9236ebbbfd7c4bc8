# METADATA
# title: Request
# description: >-
#   Undefined and "no" are told apart here, before anything else is judged: a document with a missing part or a part
#   of the wrong type is denied, so that no later rule can be silent because a field was absent.
package gateway.request

# METADATA
# title: Objection to the question
# description: Said instead of everything else; the other rooms may rely on the shape.
objection := "request.malformed"

# METADATA
# title: A whole question
# description: Every part of a call's question is present, and what a rule reads has its type.
well_formed if {
	frame_ok
	is_string(input.call.id)
	item_ok(input.tool, input.approval)
	is_object(input.arguments)
	is_string(input.arguments_hash)
	is_boolean(input.schema.valid)
	_money_ok(input.money)
	is_boolean(input.consent.handshake.satisfied)
	is_array(input.consent.confirmations)
}

# METADATA
# title: The frame
# description: The parts that a call and a listing have in common.
frame_ok if {
	is_string(input.call.server)
	caller := input.caller
	is_string(caller.issuer)
	is_string(caller.subject)
	is_array(caller.scopes)
	is_array(caller.roles)
	is_boolean(caller.proof.present)
	is_boolean(caller.proof.valid)
	env := input.env
	env.paypal in {"sandbox", "production", "none"}
	env.state in {"ok", "degraded"}
	is_number(env.now)
}

# METADATA
# title: A tool and its approval
# description: The shape of one item; what the values mean is judged in `catalog`.
item_ok(tool, approval) if {
	is_string(tool.name)
	type_name(tool.version) in {"string", "null"}
	type_name(tool.provider) in {"string", "null"}
	is_string(tool.definition_hash)
	tool.definition_hash != ""
	is_array(tool.permissions)
	tool.etdi.status in {"verified", "unverified", "token_invalid", "signature_invalid"}
	tool.etdi.evidence in {"release", "token", "signature", null}
	_approval_ok(approval)
}

_approval_ok(null)

_approval_ok(approval) if {
	type_name(approval.version) in {"string", "null"}
	type_name(approval.provider) in {"string", "null"}
	is_string(approval.definition_hash)
	is_array(approval.requested)
	is_array(approval.approved)
	type_name(approval.expires) in {"number", "null"}
	is_boolean(approval.revoked)
}

_money_ok(null)

_money_ok(money) if {
	type_name(money.amount) in {"string", "null"}
	type_name(money.currency) in {"string", "null"}
	money.source in {"arguments", "lookup", "unknown"}
}
