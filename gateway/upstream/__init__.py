"""Room 6: the target. The only room that holds its credentials."""
