"""Figures with the command that gives them; each module prints a table, and JSON with --json."""
