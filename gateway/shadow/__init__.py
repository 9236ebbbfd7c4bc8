"""A candidate policy, judged beside the live one on live questions: counted, and carried out nowhere."""
