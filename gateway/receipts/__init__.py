"""Signed statements of what became of a call, for the caller to keep and for anybody to check offline."""
