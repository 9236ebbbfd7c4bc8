"""Beside the walk: looks at tool definitions and reports. It decides nothing and blocks nothing."""
