"""A gateway that turns the mail of a support address into tickets."""
