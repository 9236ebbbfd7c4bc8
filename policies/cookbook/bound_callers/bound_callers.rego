package gateway.site

import data.gateway.classes

# METADATA
# title: Money takes a bound token
# description: >-
#   A token that was copied moves no money: tools of class 2 want one that is bound to a key, and a proof of that key with
#   the call (DPoP, RFC 9449), in production. Everywhere alike, `proof_required` of identity/data.yaml does this.
codes contains "site.token_not_bound" if {
	input.env.paypal in _bound_places
	classes.of(input.tool.name) in _bound_classes
	not _bound
}

# What you change.
_bound_places := {"production"}

_bound_classes := {2}

_bound if {
	is_string(input.caller.key_thumbprint)
	input.caller.proof.present == true
	input.caller.proof.valid == true
}
