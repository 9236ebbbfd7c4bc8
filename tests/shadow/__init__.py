"""Tests of the candidate beside the live policy."""
