"""The tools, by PayPal product. Each module is a list of declarations."""
