"""Tests of how often a caller calls."""
