"""The settings files of hosts."""
