"""Room 2: who asks."""
