package gateway.site_test

import data.gateway.site

not_for(issuer, subject, tool) if {
	question := {"caller": {"issuer": issuer, "subject": subject}, "tool": {"name": tool}}
	"site.tool_not_for_caller" in site.codes with input as question
}

test_a_listed_caller_has_its_tools if {
	not_for("https://login.example.com", "reporting-agent", "create_refund")
	not not_for("https://login.example.com", "reporting-agent", "list_invoices")
	not not_for("https://login.example.com", "refund-agent", "create_refund")
}

test_others_are_judged_by_their_roles if {
	not not_for("https://login.example.com", "agent-7", "create_refund")
	not not_for("https://other.example.com", "reporting-agent", "create_refund")
}
