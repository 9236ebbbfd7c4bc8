"""The two posts of the handshake, from a developer's own code: one flow without I/O, two clients that drive it."""
