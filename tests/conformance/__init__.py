"""The official conformance suite, run against a server of the official SDK: directly, and through the gateway."""
