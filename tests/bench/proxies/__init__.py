"""The yardsticks: pass-throughs to measure the gateway against, each a process of its own."""
