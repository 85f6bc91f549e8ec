"""A test bank with its own book: takes pay files, pays, refuses, returns, and says so in ISO 20022 messages."""
