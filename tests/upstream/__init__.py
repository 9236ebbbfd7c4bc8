"""Tests of the room `gateway/upstream`."""
