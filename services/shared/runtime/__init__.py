"""What a running service needs around its domain."""
