"""Tests of the room `gateway/catalog`."""
