"""Tests of the simulated PayPal itself."""
