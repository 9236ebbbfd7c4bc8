"""Tests of `gateway.authoring.migration`."""
