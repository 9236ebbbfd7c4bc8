package gateway.site

# METADATA
# title: Tools for the sandbox
# description: Tools that agents try out in the sandbox, and that people alone use in production, by PayPal's own pages.
codes contains "site.sandbox_only" if {
	input.env.paypal != "sandbox"
	input.tool.name in _sandbox_tools
}

# What you change.
_sandbox_tools := {"create_product", "create_subscription_plan", "accept_dispute_claim"}
