package gateway.arguments_test

import data.gateway.arguments
import data.gateway.example_test

test_fine if arguments.codes == set() with input as example_test.refund

test_the_schema_says_no if {
	invalid := example_test.patched(example_test.read, "/schema/valid", false)

	arguments.codes == {"arguments.schema_invalid"} with input as invalid
}

test_identifiers if {
	unsafe := [value |
		some value in [
			"5O190127TN364715T", "PP-D-12345", 7,
			"../../../v2/payments/captures/X/refund?x=", "a/b", "a%2fb", "a?b", "a#b", "a&b", "a b", "a\n", "", null, ["a"],
		]
		arguments.codes == {"arguments.unsafe_identifier"} with input as example_test.patched(
			example_test.read,
			"/arguments", {"dispute_id": value},
		)
	]

	count(unsafe) == 11
}

test_other_arguments_may_hold_anything if {
	arguments.codes == set() with input as example_test.patched(
		example_test.read,
		"/arguments", {"note": "see a/b?"},
	)
}

test_without_the_list_nothing_is_safe if {
	arguments.codes == {"arguments.unsafe_identifier"} with input as example_test.refund
		with data.gateway.arguments.identifiers as null
}
