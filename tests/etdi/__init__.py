"""Origins of tools: tokens, signatures, and what is kept of them."""
