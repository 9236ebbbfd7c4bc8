"""Tests of `gateway/audit`."""
