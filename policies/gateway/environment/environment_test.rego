package gateway.environment_test

import data.gateway.environment
import data.gateway.example_test

read := example_test.read

test_the_example_is_fine if not environment.objection(read.tool, 4) with input as read

test_degraded_shuts_the_classes_1_to_3 if {
	degraded := example_test.patched(read, "/env/state", "degraded")
	shut := {class |
		some class in [1, 2, 3, 4, 5]
		environment.objection(read.tool, class) == "environment.degraded" with input as degraded
	}

	shut == {1, 2, 3}
}

test_production_wants_enforcement if {
	production := example_test.patched(read, "/env/paypal", "production")
	refused := {class |
		some class in [1, 2, 3, 4, 5]
		environment.objection(read.tool, class) == "environment.phase_too_low" with input as production
			with data.gateway.migration.phase as "coexistence"
	}

	refused == {1, 2, 3}
}

test_closed if {
	environment.objection(read.tool, 4) == "environment.closed" with input as read
		with data.gateway.environment.closed.tools as ["list_products"]
	environment.objection(read.tool, 4) == "environment.closed" with input as read
		with data.gateway.environment.closed.classes as [4]
	environment.objection(read.tool, 4) == "environment.closed" with input as read
		with data.gateway.environment.closed.classes as ["4"]
}

test_missing_data_denies if {
	environment.objection(read.tool, 4) == "environment.closed" with input as read
		with data.gateway.environment.closed as {}
	environment.objection(read.tool, 4) == "environment.phase_too_low" with input as read
		with data.gateway.environment.minimum_phase as {}
}
