"""Whole populations for the comparison policy: made by the million, the same for the same seed."""
