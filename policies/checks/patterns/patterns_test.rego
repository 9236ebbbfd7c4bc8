package checks.patterns_test

import data.checks.patterns

test_good if {
	every pattern in [
		"^$", "^[A-Z]{3}$", `^[!#-?A-\[\]-~]{1,64}@[A-Za-z0-9.-]{1,190}$`, "^[0-9]{1,12}([.][0-9]{1,2})?$",
		"^(a?b?)?c$", "^[-a]$", `^a\.b$`,
	] {
		patterns.problems({"pattern": pattern}) == set()
	}
}

test_constructs if {
	every pattern in [
		"a", "^a(?=b)$", `^(a)\1$`, "^a++$", `^\p{L}$`, `^\d$`, "^.$", "^[^a]$", "^[A-z]$", "^[!-/]$", "^é$",
		"^[a&&b]$", "^[[:alpha:]]$", "^(a)*$", "^a{2,1}$", "^a{0}$", "^a{1001}$", "^a|b$", `^a\$`,
	] {
		patterns.problems({"pattern": pattern}) == {"the engines do not read it alike"}
	}
}

test_two_ways if {
	every pattern in ["^a?a$", "^a{1,2}a$", "^(a?b?)?a$", "^(ab)?ac$", "^x?(x)?$", "^[a-z]{1,64}[m-p]{1,9}$"] {
		patterns.problems({"pattern": pattern}) == {"one text can be matched in two ways"}
	}
}

test_lengths if {
	unlimited := {"a repetition without a limit needs a max_length"}
	every pattern in ["^[a-z]*$", "^a+$", "^a{3,}$"] {
		patterns.problems({"pattern": pattern}) == unlimited
		patterns.problems({"pattern": pattern, "max_length": 2049}) == unlimited
		patterns.problems({"pattern": pattern, "max_length": 2048}) == set()
	}
	patterns.problems({"max_length": 3}) == {"max_length without a pattern"}
	patterns.problems({"values": ["a", "é"]}) == set()
}

test_rules if {
	patterns.fit_for_a_rule(`^(0|[1-9][0-9]{0,8})(\.[0-9]{1,2})?$`)
	patterns.fit_for_a_rule("://")
	every pattern in ["^a*$", "^[a-z]+$", `^\w$`, "a.b", `^a\|$|b`] {
		not patterns.fit_for_a_rule(pattern)
	}
}
