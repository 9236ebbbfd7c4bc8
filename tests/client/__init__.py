"""The bridge, its sign-in and the host files."""
