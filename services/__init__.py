"""Doudi's services: eligibility, monitoring and payments, the command line, and what they share."""
