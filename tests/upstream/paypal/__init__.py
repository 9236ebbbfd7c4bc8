"""Tests of the PayPal server, against the simulator and PayPal's OpenAPI files."""
