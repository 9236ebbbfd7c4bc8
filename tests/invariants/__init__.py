"""The nine promises of the gateway, each on a whole running one (DESIGN section 4)."""
