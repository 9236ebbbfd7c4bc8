"""Room 5: carry the decision out: allow, handshake, confirm, deny; and what waits in between."""
