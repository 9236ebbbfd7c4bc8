"""What happens when a real part dies in the middle: the answer becomes no, and comes back."""
