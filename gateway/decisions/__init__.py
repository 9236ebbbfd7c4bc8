"""The decision log: each question that was put to the policy about a call, and its answer, to be judged again."""
