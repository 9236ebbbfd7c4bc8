"""Tests of the journal of calls."""
