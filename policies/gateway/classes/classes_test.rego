package gateway.classes_test

import data.gateway.classes

paypal := {"call": {"server": "paypal"}}

depot := {"call": {"server": "depot"}}

test_tools_and_aliases if {
	wanted := {"create_subscription": 1, "create_refund": 2, "create_invoice": 3, "get_order": 4, "send_money": 2}

	found := {name: class |
		some name, _ in wanted
		class := classes.of(name) with input as paypal
	}
	found == wanted
}

test_an_unknown_tool_has_no_class if {
	not classes.of("update_product") with input as paypal
}

test_a_class_that_does_not_exist_is_none if {
	known := {class |
		some value in [0, 6, "4", 2.5, true, null, 4]
		class := classes.of("x") with input as paypal with data.gateway.classes.tools as {"x": value}
	}

	known == {4}
}

test_an_alias_with_a_class_that_does_not_exist_has_none if {
	not classes.of("x") with input as paypal with data.gateway.classes.aliases as {"x": 9}
}

test_a_server_with_a_table_of_its_own if {
	tables := {"depot": {"ship_parcel": 3, "get_order": 1}}
	classes.of("ship_parcel") == 3 with input as depot with data.gateway.classes.servers as tables
	classes.of("get_order") == 1 with input as depot with data.gateway.classes.servers as tables
	classes.of("get_order") == 4 with input as paypal with data.gateway.classes.servers as tables
	not classes.of("create_refund") with input as depot with data.gateway.classes.servers as tables
	not classes.of("ship_parcel") with input as paypal with data.gateway.classes.servers as tables
}

test_a_table_that_is_none_has_no_classes if {
	not classes.of("get_order") with input as depot with data.gateway.classes.servers as {"depot": 4}
	not classes.of("get_order") with input as depot with data.gateway.classes.servers as {"depot": {"get_order": 9}}
	not classes.of("get_order") with input as depot with data.gateway.classes.servers as []
}
