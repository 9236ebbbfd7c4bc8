package gateway.site

# METADATA
# title: A list of tools for each caller
# description: >-
#   A caller that is listed uses these tools and no others; one that is not listed is judged by its roles alone. Callers are
#   named with their issuer: a subject is unique at its issuer only.
codes contains "site.tool_not_for_caller" if {
	tools := object.get(_tools_of, concat("|", [input.caller.issuer, input.caller.subject]), null)
	tools != null
	name := input.tool.name
	not name in tools
}

# What you change: issuer|subject, and the tools.
_tools_of := {
	"https://login.example.com|reporting-agent": ["list_transactions", "list_invoices", "get_invoice"],
	"https://login.example.com|refund-agent": ["get_order", "get_refund", "create_refund"],
}
