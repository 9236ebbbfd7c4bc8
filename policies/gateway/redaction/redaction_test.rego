package gateway.redaction_test

import data.gateway.example_test
import data.gateway.redaction

order := object.union(example_test.read, {"tool": {"name": "get_order"}})

test_pointers if {
	redaction.pointers == data.gateway.redaction.tools.get_order with input as order
	not redaction.pointers with input as example_test.read
}

test_who_may_see if {
	not redaction.pointers with input as example_test.patched(order, "/caller/roles", ["agent", "pii"])
}

test_objection if {
	not redaction.objection_to("get_order")
	redaction.objection_to("get_order") == "redaction.unconfigured" with data.gateway.redaction.tools as null
	redaction.objection_to("get_order") == "redaction.unconfigured" with data.gateway.redaction.roles as null
	every blank in [null, "/payer", {}] {
		redaction.objection_to("get_order") == "redaction.unconfigured" with data.gateway.redaction.tools.get_order as blank
	}
	not redaction.objection_to("list_products") with data.gateway.redaction.tools.get_order as null
}
