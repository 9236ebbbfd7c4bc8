"""Tests of `gateway.authoring.providers`."""
