"""Whole populations against one household at a time: the same outcomes, amounts and exclusions, to the fen."""
