"""Threats by name, each tried on a whole running gateway."""
