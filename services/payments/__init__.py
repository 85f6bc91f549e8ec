"""Payments: owes, pays and accounts for every fen."""
