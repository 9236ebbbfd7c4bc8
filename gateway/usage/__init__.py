"""Beside the walk: how often each caller called each tool, and how often in vain, as facts for the policy."""
