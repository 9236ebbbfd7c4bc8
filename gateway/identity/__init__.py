"""Room 2: who asks: bearer token -> Caller."""
