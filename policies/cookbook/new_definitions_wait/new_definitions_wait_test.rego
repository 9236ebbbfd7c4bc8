package gateway.site_test

import data.gateway.site

too_new(first_seen) if {
	question := {"tool": {"first_seen": first_seen}, "env": {"now": 1795224000}}
	"site.definition_too_new" in site.codes with input as question
}

test_a_new_definition_waits if {
	too_new(1795224000 - 86399)
	too_new(1795224000)
	too_new(1795224000 + 60)
	too_new(null)
}

test_an_old_one_does_not if not too_new(1795224000 - 86400)
