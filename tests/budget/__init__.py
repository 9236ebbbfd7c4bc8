"""Tests of the room `budget`."""
