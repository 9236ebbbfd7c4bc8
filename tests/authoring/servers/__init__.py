"""Tests of `gateway.authoring.servers`."""
