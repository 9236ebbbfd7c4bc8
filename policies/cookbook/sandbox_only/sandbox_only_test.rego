package gateway.site_test

import data.gateway.site

outside_of_the_sandbox(tool, place) if {
	"site.sandbox_only" in site.codes with input as {"tool": {"name": tool}, "env": {"paypal": place}}
}

test_in_the_sandbox_only if {
	outside_of_the_sandbox("create_product", "production")
	outside_of_the_sandbox("create_product", "none")
	not outside_of_the_sandbox("create_product", "sandbox")
	not outside_of_the_sandbox("list_products", "production")
}
