package gateway.site_test

import data.gateway.example_test
import data.gateway.site

not_bound(patch) if {
	question := object.union_n([example_test.refund, {"env": {"paypal": "production"}}, patch])
	"site.token_not_bound" in site.codes with input as question
}

test_a_copied_token_moves_no_money if {
	not_bound({})
	not_bound({"caller": {"key_thumbprint": "k"}})
	not_bound({"caller": {"key_thumbprint": "k", "proof": {"present": true, "valid": false}}})
	not_bound({"caller": {"proof": {"present": true, "valid": true}}})
}

test_a_bound_one_does if not not_bound({"caller": {"key_thumbprint": "k", "proof": {"present": true, "valid": true}}})

test_elsewhere_any_token_will_do if {
	not not_bound({"env": {"paypal": "sandbox"}})
	not not_bound({"tool": {"name": "create_invoice"}})
}
