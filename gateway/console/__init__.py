"""Where an authenticated person sees and decides what waits."""
