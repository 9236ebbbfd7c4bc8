"""Properties of the whole gateway, for hostile input."""
