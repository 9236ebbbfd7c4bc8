package gateway.receipts_test

import data.gateway.receipts

test_the_sensitive_classes_have_receipts if {
	every outcome in ["allow", "deny"] {
		every class in [1, 2, 3] {
			receipts.due(class, outcome)
		}
		every class in [4, 5, null] {
			not receipts.due(class, outcome)
		}
	}
}

test_what_waits_has_none if {
	not receipts.due(1, "handshake")
	not receipts.due(1, "confirm")
}

test_each_end_has_its_own_list if {
	receipts.due(4, "deny") with data.gateway.receipts.refused as [4]
	not receipts.due(4, "allow") with data.gateway.receipts.refused as [4]
	not receipts.due(2, "deny") with data.gateway.receipts.refused as []
}

test_a_list_that_cannot_be_read_spares_nothing if {
	receipts.due(5, "allow") with data.gateway.receipts.executed as null
	receipts.due(null, "deny") with data.gateway.receipts.refused as "none"
}
