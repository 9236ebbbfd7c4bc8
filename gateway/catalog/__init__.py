"""Room 3: what is asked for: the tool definition as it is now, its hash, its approval."""
