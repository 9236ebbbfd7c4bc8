package gateway.classes_test

import data.gateway.classes

test_tools_and_aliases if {
	wanted := {"create_subscription": 1, "create_refund": 2, "create_invoice": 3, "get_order": 4, "send_money": 2}

	{name: classes.of(name) | some name, _ in wanted} == wanted
}

test_an_unknown_tool_has_no_class if not classes.of("update_product")

test_a_class_that_does_not_exist_is_none if {
	known := {class |
		some value in [0, 6, "4", 2.5, true, null, 4]
		class := classes.of("x") with data.gateway.classes.tools as {"x": value}
	}

	known == {4}
}

test_an_alias_with_a_class_that_does_not_exist_has_none if {
	not classes.of("x") with data.gateway.classes.aliases as {"x": 9}
}
