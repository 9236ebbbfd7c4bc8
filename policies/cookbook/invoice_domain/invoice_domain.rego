package gateway.site

# METADATA
# scope: rule
# title: Invoices go to our own customers' domains only
# description: >-
#   Every recipient of an invoice, and everybody who gets a copy, has an address of a known domain. Attack: an agent that was
#   talked into it invoices, or copies in, somebody else. Not seen: the recipients of an invoice made elsewhere.
codes contains "site.invoice_domain" if {
	input.tool.name == "create_invoice"
	some recipient in input.arguments.primary_recipients
	not _known_recipient(recipient)
}

codes contains "site.invoice_domain" if {
	some address in input.arguments.additional_recipients
	not _known_address(address)
}

# What you change. With the `@`: without it evilexample.com would do.
_invoice_domains := {"@example.com", "@customer.example.net"}

_known_recipient(recipient) if _known_address(recipient.billing_info.email_address)

# One `@`: `a@evil.example,b@example.com` ends well, too.
_known_address(address) if {
	is_string(address)
	count(split(address, "@")) == 2
	some domain in _invoice_domains
	endswith(lower(address), domain)
}
