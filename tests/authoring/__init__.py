"""Tests of `gateway.authoring`."""
