package gateway.tier_test

import data.gateway.tier

test_the_tier_of_each_class if {
	tiers := {class: tier.of(class) | some class in [0, 1, 2, 3, 4, 5, 6, null, "1"]}

	tiers == {1: "restricted", 2: "restricted", 3: "confidential", 4: "internal", 5: "public"}
}
