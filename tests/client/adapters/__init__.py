"""The adapters, against the real frameworks."""
