"""The handshake from one's own code."""
