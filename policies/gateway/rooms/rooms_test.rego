package gateway.rooms_test

import data.gateway.example_test
import data.gateway.rooms

about(question) := codes if {
	codes := rooms.about(question.tool, question.approval) with input as question
}

test_a_read if about(example_test.read) == {"consent.not_required"}

test_an_unclassified_tool_is_judged_by_nobody_else if {
	about(example_test.patched(example_test.read, "/tool/name", "update_product")) == {"classes.unclassified"}
}

test_an_unknown_phase if {
	codes := about(example_test.read) with data.gateway.migration.phase as "coexistance"

	codes == {"migration.phase_unknown", "consent.not_required"}
}

test_each_room_is_heard if {
	wrong := object.union(example_test.handshaken, {
		"caller": {"roles": []},
		"env": {"state": "degraded"},
		"approval": {"revoked": true},
	})

	about(wrong) == {
		"identity.role_missing",
		"environment.degraded",
		"catalog.approval_revoked",
		"limits.missing",
		"redaction.unconfigured",
		"transactions.unconfigured",
		"consent.confirmation_required",
	} with data.gateway.limits.soft_quorum as null
		with data.gateway.redaction.roles as null
		with data.gateway.transactions.windows as null
}
