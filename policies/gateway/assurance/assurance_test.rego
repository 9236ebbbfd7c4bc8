package gateway.assurance_test

import data.gateway.assurance

test_the_scale if {
	ranks := [assurance.rank(kind) | some kind in ["host", "agent", "link", "oidc"]]

	ranks == [0, 1, 2, 3]
}

test_an_unknown_kind_has_no_rank if not assurance.rank("promise")
