"""Tests of gateway.idp."""
