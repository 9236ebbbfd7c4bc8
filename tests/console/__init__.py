"""The console: pages, sessions and decisions, through HTTP and through a real browser."""
