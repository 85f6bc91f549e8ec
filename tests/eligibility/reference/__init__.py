"""A second reading of the national rules, by hand and from the law, for households of which everything is known."""
