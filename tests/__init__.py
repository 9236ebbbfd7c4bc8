"""The tests: they mirror the rooms of `gateway/`, and `support/` finds the real parts they run against."""
