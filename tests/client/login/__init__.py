"""Sign-in, part by part."""
