package gateway.listing_test

import data.gateway.example_test
import data.gateway.listing
import data.gateway.reasons

frame := object.filter(example_test.read, ["call", "caller", "env"])

listed(items) := rows if rows := listing.answer.tools with input as object.union(frame, {"tools": items})

item(name) := {
	"tool": object.union(example_test.read.tool, {"name": name}),
	"approval": example_test.read.approval,
}

test_rows if {
	rows := listed([item("list_products"), item("create_invoice"), item("create_refund"), item("update_product")])
	summary := {name: [row.visible, row.outcome, row.data_class, row.tier] | some name, row in rows}

	summary == {
		"list_products": [true, "allow", 4, "internal"],
		"create_invoice": [true, "handshake", 3, "confidential"],
		"create_refund": [true, "handshake", 2, "restricted"],
		"update_product": [false, "deny", null, null],
	}
	rows.update_product.reasons == [reasons.of("classes.unclassified")]
}

test_nothing_listed if listed([]) == {}

test_a_tool_without_a_name_is_left_out if {
	listed([object.union(item("x"), {"tool": {"name": 7}}), {"approval": null}]) == {}
}

test_two_of_one_name_are_judged_together if {
	revoked := object.union(item("list_products"), {"approval": {"revoked": true}})

	[row.visible | some row in listed([item("list_products"), revoked])] == [false]
}

test_a_malformed_item_is_not_visible if {
	half := object.remove(item("list_products"), ["approval"])
	rows := listed([half, item("get_order")])

	rows.list_products.reasons == [reasons.of("request.malformed")]
	rows.get_order.visible
}

test_a_malformed_frame_hides_everything if {
	rows := listing.answer.tools with input as {"tools": [item("list_products")]}

	rows.list_products.reasons == [reasons.of("request.malformed")]
}

test_unverified_tools_are_shown_when_the_operator_wants if {
	unverified := object.union(item("list_products"), {"tool": {"etdi": {"status": "unverified", "evidence": null}}})
	revoked := object.union(item("get_order"), {"approval": {"revoked": true}})
	rows := listed([unverified, revoked]) with data.gateway.listing.show_unverified as true

	{name: [row.visible, row.outcome] | some name, row in rows} == {
		"list_products": [true, "deny"],
		"get_order": [false, "deny"],
	}
}

foreign(name, changes) := {
	"tool": object.union_n([example_test.read.tool, {"name": name, "etdi": unproven}, changes]),
	"approval": example_test.read.approval,
}

unproven := {"status": "unverified", "evidence": null}

marks(items) := {name: [row.mark, row.last] |
	some name, row in listed(items)
	row.mark
}

test_marks_in_coexistence if {
	unapproved := object.union(item("list_invoices"), {"approval": null})
	some_tools := [item("list_products"), foreign("get_order", {}), unapproved]
	found := marks(some_tools) with data.gateway.migration.phase as "coexistence"
	found == {"get_order": ["unverified", true], "list_invoices": ["unapproved", true]}
	quiet := marks([foreign("get_order", {})]) with data.gateway.migration.phase as "coexistence"
		with data.gateway.migration.coexistence as {"warning_for_non_etdi": false}
	quiet == {}
	unordered := marks([foreign("get_order", {})]) with data.gateway.migration.phase as "coexistence"
		with data.gateway.migration.coexistence as {"prefer_etdi": false}
	unordered == {"get_order": ["unverified", false]}
}

test_marks_in_preparation if {
	wrong := foreign("get_order", {"etdi": {"status": "token_invalid", "evidence": null}})
	found := marks([wrong, foreign("list_invoices", {})]) with data.gateway.migration.phase as "preparation"
	found == {"get_order": ["invalid", false], "list_invoices": ["unverified", false]}
}

test_marks_of_exempt_tools if {
	exemption := {"server": "paypal", "tool": "get_order", "expires": example_test.now + 1}
	both := [foreign("get_order", {}), foreign("list_invoices", {})]
	found := marks(both) with data.gateway.migration.exemptions as [exemption]
	found == {"get_order": ["exempt", false]}
}

test_a_malformed_item_has_no_mark if {
	marks([object.remove(item("list_products"), ["approval"])]) == {} with data.gateway.migration.phase as "preparation"
}

test_two_of_one_name_with_two_marks if {
	unapproved := object.union(item("get_order"), {"approval": null})
	marks([foreign("get_order", {}), unapproved]) == {} with data.gateway.migration.phase as "coexistence"
}
