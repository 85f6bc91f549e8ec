"""What payments knows without a database, a clock or a network."""
