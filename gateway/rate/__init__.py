"""How often one caller may ask, and what the others notice of it: nothing."""
