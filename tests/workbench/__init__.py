"""What policy writers work with."""
