"""Sums over windows: reserved before a call is let go on, settled or given back by what became of it."""
