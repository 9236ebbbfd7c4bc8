"""The demo, apart from its story: that is played against a whole composition in tests/test_composition.py."""
