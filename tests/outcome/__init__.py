"""Tests of the room `gateway/outcome`."""
