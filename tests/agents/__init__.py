"""Second parties that are programs, and the notices for people."""
