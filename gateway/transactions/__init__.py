"""What left and how it ended: the journal of class 1 to 3 calls, its recovery after a crash, and equal calls."""
