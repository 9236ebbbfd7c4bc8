"""Tests of `gateway/state`."""
