"""Programs that run beside the frameworks."""
