"""Whole calls, written down as files."""
