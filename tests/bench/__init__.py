"""The benchmark: one `tools/call` through the gateway and through its yardsticks, interleaved in one run.

Run it with `python -m tests.bench` (or `make bench`); `--help` says what each figure means. Nothing here
imports `gateway`: a yardstick that shares code with the thing it measures would get faster and slower
together with it.
"""
