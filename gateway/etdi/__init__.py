"""Beside the catalog: whether a definition is its provider's. Tokens and signatures, what proves them, what is kept."""
