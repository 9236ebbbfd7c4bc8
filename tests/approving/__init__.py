"""People look at tools, and decide about them."""
